// threads MODEL: any number of threads, and the caller's own, give the same bytes; and apus.hpp does what it says.
#include <apus.hpp>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <thread>

namespace {

int failures = 0;

void check(bool holds, const char *what) {
    if (holds) return;
    ++failures;
    std::cout << "threads.cpp: failed: " << what << "\n";
}

template <class Function> void refuses(apus_status status, const char *what, Function function) {
    try {
        function();
        check(false, what);
    } catch (const apus::Error &error) {
        check(error.status() == status && *error.what(), what);
    }
}

using Bytes = std::vector<std::byte>;

void fill(apus::Session &session, const apus::TensorInfo &info) {
    const apus::span<std::byte> bytes = session.input<std::byte>(info.name);
    std::memset(bytes.data(), 0, bytes.size());
    if (info.dtype != APUS_F32) return;
    float value = 0.25f;
    for (float &element : session.input<float>(info.name)) element = value = 3.7f * value * (1 - value);
}

Bytes outputs(const apus::Model &model, apus::Session &session) {
    for (const apus::TensorInfo &info : model.inputs()) fill(session, info);
    session.run();
    Bytes all;
    for (const apus::TensorInfo &info : model.outputs()) {
        const apus::span<const std::byte> bytes = session.output<std::byte>(info.name);
        all.insert(all.end(), bytes.begin(), bytes.end());
    }
    return all;
}

apus::Options threaded(int threads) {
    apus::Options options;
    options.threads = threads;
    return options;
}

void same_bytes(const apus::Model &model) {
    apus::Session alone(model);
    const Bytes wanted = outputs(model, alone);
    check(!wanted.empty(), "there are outputs");
    for (int threads : {2, 7}) {
        apus::Session session(model, threaded(threads));
        for (int again = 0; again < 20; ++again) {
            session.reset_states();
            check(outputs(model, session) == wanted, "more threads give the same bytes");
        }
    }
    std::atomic<std::size_t> bodies{0};
    apus::Options options = threaded(3);
    options.parallel_for = [&](std::size_t count, apus::Body body) {
        std::vector<std::thread> team;
        for (std::size_t index = 0; index < count; ++index) team.emplace_back([=, &bodies] { body(index), ++bodies; });
        for (std::thread &one : team) one.join();
    };
    apus::Session session(model, options);
    check(outputs(model, session) == wanted, "the caller's parallel_for gives the same bytes");
    options.parallel_for = [](std::size_t count, apus::Body body) {
        for (std::size_t index = count; index-- > 0;) body(index);
    };
    apus::Session backwards(model, options);
    check(outputs(model, backwards) == wanted, "any order of the pieces gives the same bytes");
    std::cout << "threads: the caller's parallel_for ran " << bodies << " pieces\n";

    // One model, several sessions at once.
    std::vector<std::thread> team;
    std::atomic<int> equal{0};
    for (int one = 0; one < 4; ++one)
        team.emplace_back([&] {
            apus::Session own(model);
            equal += outputs(model, own) == wanted;
        });
    for (std::thread &one : team) one.join();
    check(equal == 4, "sessions of one model run side by side");
}

// Each state is written by name, found by index, and put back.
void statewise(const apus::Model &model, apus::Session &session) {
    const std::vector<apus::TensorInfo> states = model.states();
    for (std::size_t index = 0; index < states.size(); ++index) {
        const apus::span<std::byte> state = session.state<std::byte>(states[index].name);
        check(state.size() == states[index].byte_size, "a state has its bytes");
        if (state.empty()) continue;
        state[0] = state[0] ^ std::byte{1};
        check(session.state<std::byte>(index)[0] == state[0], "a state is the same by name and by index");
        if (states[index].dtype != APUS_F64)
            refuses(APUS_INVALID_ARGUMENT, "a state of another type", [&] { session.state<double>(index); });
    }
    session.reset_states();
    refuses(APUS_INVALID_ARGUMENT, "an unknown state", [&] { session.state<std::byte>("no such state"); });
    refuses(APUS_INVALID_ARGUMENT, "a state out of range", [&] { session.state<std::byte>(states.size()); });
}

void wrapper(const char *path) {
    static_assert(!std::is_copy_constructible_v<apus::Model> && std::is_nothrow_move_constructible_v<apus::Model>);
    static_assert(!std::is_copy_constructible_v<apus::Session> && std::is_nothrow_move_constructible_v<apus::Session>);
    refuses(APUS_IO_ERROR, "a missing file", [] { apus::Model("no such file.apus"); });

    apus::Model opened(path);
    apus::Model model = std::move(opened);
    const apus::TensorInfo first = model.outputs().at(0);
    check(model.function(model.function_name(0)) == 0, "functions are found by name");
    check(model.metadata().size() == apus_model_metadata_count(model.get()), "metadata is complete");
    check(!model.metadata("no such key"), "unknown metadata is empty");
    refuses(APUS_INVALID_ARGUMENT, "an unknown function", [&] { model.inputs("no such function"); });
    refuses(APUS_INVALID_ARGUMENT, "a function out of range", [&] { model.outputs(1000); });
    check(model.input(model.inputs().back().name) == model.inputs().size() - 1, "inputs are found by name");
    check(model.output(first.name, model.function_name(0)) == 0, "outputs are found by name");
    refuses(APUS_INVALID_ARGUMENT, "an unknown input's index", [&] { model.input("no such input"); });
    refuses(APUS_INVALID_ARGUMENT, "an unknown output's index", [&] { model.output("no such output"); });
    check(model.states().size() == apus_model_state_count(model.get()), "states are complete");
    check(apus::status_text(APUS_BAD_SHAPE) == apus_status_text(APUS_BAD_SHAPE), "a status has a text");

    apus::Options options;
    options.profile = true;
    for (const apus::Dimension &dimension : model.dimensions()) options.dimensions[dimension.name] = dimension.minimum;
    const std::size_t size = model.memory_size(options);
    std::unique_ptr<std::byte, decltype(&std::free)> memory(
        static_cast<std::byte *>(std::aligned_alloc(64, (size + 63) / 64 * 64)), std::free);
    options.memory = apus::span<std::byte>(memory.get(), size - 1);
    refuses(APUS_OUT_OF_MEMORY, "memory one byte too small", [&] { apus::Session(model, options); });
    options.memory = apus::span<std::byte>(memory.get(), size);
    apus::Session made(model, options);
    apus::Session session = std::move(made);
    refuses(APUS_INVALID_ARGUMENT, "a session moved from", [&] { made.run(); });  // NOLINT: the moved-from state is defined
    refuses(APUS_INVALID_ARGUMENT, "an unknown output", [&] { session.output<std::byte>("no such output"); });
    refuses(APUS_INVALID_ARGUMENT, "an output out of range", [&] { session.output<std::byte>(1000); });
    if (first.dtype == APUS_F32)
        refuses(APUS_INVALID_ARGUMENT, "an output of another type", [&] { session.output<double>(0); });
    refuses(APUS_INVALID_ARGUMENT, "an unknown dimension", [&] { session.set_dimension("no such dimension", 1); });

    const Bytes before = outputs(model, session);
    std::vector<apus_profile_entry> steps = session.profile();
    check(!steps.empty() && steps.front().runs == 1, "the profile counts runs");
    session.reset_states();
    const std::vector<std::byte> states = session.save_states();
    statewise(model, session);
    Bytes bound(session.output_info(0).byte_size);
    session.bind_output<std::byte>(0, bound);
    outputs(model, session);
    check(std::equal(bound.begin(), bound.end(), before.begin()), "a bound output is written");
    Bytes copied(bound.size());
    session.get_output(0, copied);
    check(copied == bound, "an output is copied out");
    copied.push_back(std::byte{});
    refuses(APUS_BAD_SHAPE, "an output of another size", [&] { session.get_output(0, copied); });
    session.bind_output<std::byte>(0, {});
    Bytes given(session.input_info(0).byte_size);
    session.bind_input<std::byte>(0, given);
    refuses(APUS_INVALID_ARGUMENT, "a view of a bound input", [&] { session.input<std::byte>(0); });
    session.bind_input<std::byte>(0, {});
    session.load_states(states);
    apus::Options smallest;
    smallest.dimensions = options.dimensions;
    apus::Session fork = session.fork(smallest);
    check(outputs(model, fork) == before, "a fork continues where its session stands");
    fork.copy_states(session);
    check(outputs(model, fork) == before, "states are copied");
    model = apus::Model(path);
    check(outputs(model, session) == before, "states are restored, and a session outlives its model");

    std::vector<std::byte> one(session.input_info(0).byte_size + 1);
    refuses(APUS_BAD_SHAPE, "an input of another size", [&] { session.set_input(0, one); });
    one.pop_back();
    session.set_input(0, one);
}

}  // namespace

int main(int count, char **arguments) {
    if (count != 2) return 2;
    wrapper(arguments[1]);
    same_bytes(apus::Model(arguments[1]));
    return failures != 0;
}
