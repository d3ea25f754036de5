// apus.hpp — apus.h for C++17: handles that close themselves, errors as exceptions, typed spans.
//
//     apus::Model model("digits.apus");
//     apus::Session session(model);
//     session.set_dimension("batch", 1);                // it is at its maximum otherwise
//     apus::span<float> pixels = session.input<float>("input");
//     std::copy(image.begin(), image.end(), pixels.begin());
//     session.run();
//     apus::span<const float> logits = session.output<float>("logits");
//
// Rules
// - Whatever apus.h answers with a status throws apus::Error; so does a name, index or element type that does not fit.
// - Models and sessions are move-only. A session may outlive its model. A span lives as long as its session.
// - A Model may be shared by threads; a Session belongs to one thread at a time.
// - Tensors and functions are named, or given by index; `function` is the file's first unless said otherwise.
#ifndef APUS_HPP
#define APUS_HPP

#if !defined(__cpp_exceptions)
#error "apus.hpp throws; apus.h is the header for programs without exceptions"
#endif

#include <apus.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#if __cplusplus >= 202002L && __has_include(<span>)
#include <span>
#endif

namespace apus {

#if defined(__cpp_lib_span)
template <class T> using span = std::span<T>;
#else
// A pointer and a count: what is needed of std::span before C++20.
template <class T> class span {
public:
    using value_type = std::remove_cv_t<T>;
    constexpr span() noexcept = default;
    constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <class Container,
              class = std::enable_if_t<std::is_convertible_v<
                  std::remove_pointer_t<decltype(std::declval<Container &>().data())> (*)[], T (*)[]>>>
    constexpr span(Container &&container) : data_(container.data()), size_(container.size()) {}
    constexpr T *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr T *begin() const noexcept { return data_; }
    constexpr T *end() const noexcept { return data_ + size_; }
    constexpr T &operator[](std::size_t index) const { return data_[index]; }

private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};
#endif

// A refused call: its status, and a line naming the tensor, the value found and the value wanted.
class Error : public std::runtime_error {
public:
    Error(apus_status status, const std::string &message) : std::runtime_error(message), status_(status) {}
    apus_status status() const noexcept { return status_; }

private:
    apus_status status_;
};

inline std::string version() { return apus_version(); }

// A status in a few words.
inline std::string status_text(apus_status status) { return apus_status_text(status); }

struct TensorInfo {
    std::string name;
    apus_dtype dtype;
    std::vector<std::int64_t> shape;      // of a model: symbolic dimensions at their maximum; of a session: as set
    std::vector<std::string> dimensions;  // the symbol's name, or empty where the size is fixed
    std::size_t byte_size;
    float scale;  // 0 when not quantized per tensor
    std::int32_t zero_point;
};

struct Dimension {
    std::string name;
    std::int64_t minimum, maximum;
};

// A tensor or function by name or by index; refers to the name it is made from.
struct Key {
    Key(const char *text) : name(text), named(true) {}
    Key(const std::string &text) : name(text), named(true) {}
    template <class Integer, class = std::enable_if_t<std::is_integral_v<Integer>>>
    Key(Integer number) : index(static_cast<std::size_t>(number)) {}

    std::string_view name;
    std::size_t index = 0;
    bool named = false;
};

namespace detail {

// Calls f(…, &error) and throws unless it succeeds.
template <class Function, class... Arguments> void call(Function function, Arguments... arguments) {
    apus_error error{};
    if (apus_status status = function(arguments..., &error)) throw Error(status, error.message);
}

template <class T> constexpr bool holds(apus_dtype dtype) {
    using V = std::remove_cv_t<T>;
    if constexpr (std::is_same_v<V, std::byte>) return true;
    if constexpr (std::is_same_v<V, float>) return dtype == APUS_F32;
    if constexpr (std::is_same_v<V, double>) return dtype == APUS_F64;
    if constexpr (std::is_same_v<V, std::int8_t>) return dtype == APUS_I8;
    if constexpr (std::is_same_v<V, std::uint8_t>) return dtype == APUS_U8 || dtype == APUS_I4 || dtype == APUS_U4;
    if constexpr (std::is_same_v<V, std::int16_t>) return dtype == APUS_I16;
    if constexpr (std::is_same_v<V, std::uint16_t>)
        return dtype == APUS_U16 || dtype == APUS_F16 || dtype == APUS_BF16;
    if constexpr (std::is_same_v<V, std::int32_t>) return dtype == APUS_I32;
    if constexpr (std::is_same_v<V, std::int64_t>) return dtype == APUS_I64;
    if constexpr (std::is_same_v<V, bool>) return dtype == APUS_BOOL;
    return false;
}

inline const char *dtype_name(apus_dtype dtype) {
    static const char *const names[] = {"",    "f32", "f64", "f16", "bf16", "i8", "u8",
                                        "i16", "u16", "i32", "i64", "bool", "i4", "u4"};
    return dtype >= APUS_F32 && dtype <= APUS_U4 ? names[dtype] : "unknown";
}

inline TensorInfo described(const apus_tensor_info &info, const std::vector<std::string> &symbols) {
    TensorInfo result{info.name, info.dtype, {}, {}, info.byte_size, info.scale, info.zero_point};
    for (std::int32_t axis = 0; axis < info.rank; ++axis) {
        result.shape.push_back(info.shape[axis]);
        result.dimensions.push_back(info.symbol[axis] < 0 ? "" : symbols.at(static_cast<std::size_t>(info.symbol[axis])));
    }
    return result;
}

struct CloseModel {
    void operator()(apus_model *model) const noexcept { apus_model_close(model); }
};
struct DestroySession {
    void operator()(apus_session *session) const noexcept { apus_session_destroy(session); }
};

}  // namespace detail

// One of `count` pieces of work, to be called with each index below count.
class Body {
public:
    Body(apus_parallel_body body, void *context) noexcept : body_(body), context_(context) {}
    void operator()(std::size_t index) const noexcept { body_(context_, index); }

private:
    apus_parallel_body body_;
    void *context_;
};

struct Options {
    int threads = 1;                                // that run() may use, the calling one included
    std::map<std::string, std::int64_t> dimensions{};  // smaller limits for symbolic dimensions
    bool profile = false;
    span<std::byte> memory{};  // where set, the session lives here, aligned to 64
    // Where set, work goes here in `threads` pieces; must call body(i) for every i below count, and not throw.
    std::function<void(std::size_t count, Body body)> parallel_for{};
};

// An .apus file: immutable, and read in place.
class Model {
public:
    explicit Model(const std::string &path) {
        const std::size_t nul = path.find('\0');
        if (nul != std::string::npos)
            throw Error(APUS_INVALID_ARGUMENT, std::string(path.c_str()) + ": path with a NUL at " + std::to_string(nul) +
                                                   ", wanted none");
        apus_model *model = nullptr;
        detail::call(apus_model_open, path.c_str(), &model);
        take(model);
    }

    // The bytes must stay unchanged for as long as the model and its sessions live.
    explicit Model(span<const std::byte> bytes) {
        apus_model *model = nullptr;
        detail::call(apus_model_open_memory, static_cast<const void *>(bytes.data()), bytes.size(), &model);
        take(model);
    }

    apus_model *get() const noexcept { return model_.get(); }

    std::size_t function_count() const noexcept { return apus_model_function_count(get()); }

    std::string function_name(std::size_t function) const {
        const char *name = apus_model_function_name(get(), function);
        if (!name) throw Error(APUS_INVALID_ARGUMENT, "function " + std::to_string(function) + ": no such index");
        return name;
    }

    // The index of a function.
    std::size_t function(const Key &key) const {
        if (!key.named) return key.index;
        std::size_t index = 0;
        detail::call(apus_model_find_function, get(), std::string(key.name).c_str(), &index);
        return index;
    }

    std::vector<TensorInfo> inputs(const Key &function = 0) const {
        return tensors(apus_model_input_count, apus_model_input_info, this->function(function));
    }
    std::vector<TensorInfo> outputs(const Key &function = 0) const {
        return tensors(apus_model_output_count, apus_model_output_info, this->function(function));
    }

    // The index of an input or output.
    std::size_t input(const Key &input, const Key &function = 0) const {
        return index(apus_model_find_input, this->function(function), input);
    }
    std::size_t output(const Key &output, const Key &function = 0) const {
        return index(apus_model_find_output, this->function(function), output);
    }

    // What a session remembers between runs.
    std::vector<TensorInfo> states() const {
        std::vector<TensorInfo> result;
        for (std::size_t index = 0; index < apus_model_state_count(get()); ++index) {
            apus_tensor_info raw{};
            detail::call(apus_model_state_info, get(), index, &raw);
            result.push_back(detail::described(raw, symbols_));
        }
        return result;
    }

    std::vector<Dimension> dimensions() const {
        std::vector<Dimension> result;
        for (std::size_t index = 0; index < apus_model_dimension_count(get()); ++index) {
            apus_dimension_info info{};
            detail::call(apus_model_dimension_info, get(), index, &info);
            result.push_back({info.name, info.minimum, info.maximum});
        }
        return result;
    }

    std::optional<std::string> metadata(const std::string &key) const {
        const char *value = apus_model_metadata(get(), key.c_str());
        return value ? std::optional<std::string>(value) : std::nullopt;
    }
    std::map<std::string, std::string> metadata() const {
        std::map<std::string, std::string> result;
        for (std::size_t index = 0; index < apus_model_metadata_count(get()); ++index)
            result.emplace(apus_model_metadata_key(get(), index), apus_model_metadata_value(get(), index));
        return result;
    }

    // The class names of an output; empty when the file has none.
    std::vector<std::string> labels(const std::string &output) const {
        std::vector<std::string> result;
        const std::string text = metadata("labels." + output).value_or("");
        for (std::size_t start = 0; start < text.size();) {
            const std::size_t end = std::min(text.find('\n', start), text.size());
            result.push_back(text.substr(start, end - start));
            start = end + 1;
        }
        return result;
    }

    // Exactly the bytes that a session with these options uses.
    std::size_t memory_size(const Options &options = {}) const;

private:
    void take(apus_model *model) {
        model_.reset(model);
        for (const Dimension &dimension : dimensions()) symbols_.push_back(dimension.name);
    }

    using Count = std::size_t (*)(const apus_model *, std::size_t);
    using Info = apus_status (*)(const apus_model *, std::size_t, std::size_t, apus_tensor_info *, apus_error *);
    std::vector<TensorInfo> tensors(Count count, Info info, std::size_t function) const {
        function_name(function);
        std::vector<TensorInfo> result;
        for (std::size_t index = 0; index < count(get(), function); ++index) {
            apus_tensor_info raw{};
            detail::call(info, get(), function, index, &raw);
            result.push_back(detail::described(raw, symbols_));
        }
        return result;
    }

    using Find = apus_status (*)(const apus_model *, std::size_t, const char *, std::size_t *, apus_error *);
    std::size_t index(Find find, std::size_t function, const Key &key) const {
        if (!key.named) return key.index;
        std::size_t found = 0;
        detail::call(find, get(), function, std::string(key.name).c_str(), &found);
        return found;
    }

    friend class Session;
    std::unique_ptr<apus_model, detail::CloseModel> model_;
    std::vector<std::string> symbols_;
};

// The working memory of one model.
class Session {
public:
    explicit Session(const Model &model, Options options = {})
        : parallel_for_(std::make_unique<ParallelFor>(std::move(options.parallel_for))), symbols_(model.symbols_),
          states_(model.states()) {
        for (std::size_t function = 0; function < model.function_count(); ++function)
            functions_.push_back(model.function_name(function));
        make(apus_session_create, model.get(), options);
    }

    apus_session *get() const noexcept { return session_.get(); }

    void set_dimension(const std::string &name, std::int64_t size) {
        detail::call(apus_session_set_dimension, get(), name.c_str(), size);
    }

    // Tensors with their shapes at the current dimensions.
    TensorInfo input_info(const Key &input, const Key &function = 0) const {
        return detail::described(input_of(function, input).info, symbols_);
    }
    TensorInfo output_info(const Key &output, const Key &function = 0) const {
        return detail::described(output_of(function, output).info, symbols_);
    }

    // The session's own memory of a tensor, at the current dimensions: T is float for f32, std::uint16_t for the bits of
    // f16 and bf16, std::uint8_t for packed int4, std::byte for any. Asking for an input counts as setting it. Throws for a
    // tensor that is bound to the caller's memory.
    template <class T> span<T> input(const Key &input, const Key &function = 0) {
        const Tensor tensor = typed<T>(input_of(function, input));
        void *data = apus_session_input_data(get(), tensor.function, tensor.index);
        return {static_cast<T *>(data), owned(tensor, data, "input") / sizeof(T)};
    }
    template <class T> span<const T> output(const Key &output, const Key &function = 0) const {
        const Tensor tensor = typed<T>(output_of(function, output));
        const void *data = apus_session_output_data(get(), tensor.function, tensor.index);
        return {static_cast<const T *>(data), owned(tensor, data, "output") / sizeof(T)};
    }

    // Copies in; the size must be that of the current shape.
    template <class Container> void set_input(const Key &input, const Container &values, const Key &function = 0) {
        using T = std::remove_pointer_t<decltype(values.data())>;
        const Tensor tensor = typed<T>(input_of(function, input));
        const void *data = values.data();
        detail::call(apus_session_set_input, get(), tensor.function, tensor.index, data, values.size() * sizeof(T));
    }

    // Copies out, of an output that is bound to the caller's memory too; the size must be that of the current shape.
    template <class Container> void get_output(const Key &output, Container &&values, const Key &function = 0) const {
        using T = std::remove_pointer_t<decltype(values.data())>;
        const Tensor tensor = typed<T>(output_of(function, output));
        void *data = values.data();
        detail::call(apus_session_get_output, get(), tensor.function, tensor.index, data, values.size() * sizeof(T));
    }

    // Reads or writes the caller's memory in every later run; an empty span returns to the session's own.
    template <class T> void bind_input(const Key &input, span<const T> values, const Key &function = 0) {
        const Tensor tensor = typed<T>(input_of(function, input));
        const void *data = values.data();
        detail::call(apus_session_bind_input, get(), tensor.function, tensor.index, data, values.size() * sizeof(T));
    }
    template <class T> void bind_output(const Key &output, span<T> values, const Key &function = 0) {
        const Tensor tensor = typed<T>(output_of(function, output));
        void *data = values.data();
        detail::call(apus_session_bind_output, get(), tensor.function, tensor.index, data, values.size() * sizeof(T));
    }

    void run() { detail::call(apus_session_run, get()); }
    void run(const Key &function) { detail::call(apus_session_run_function, get(), index_of(function)); }

    void reset_states() { detail::call(apus_session_reset_states, get()); }
    std::vector<std::byte> save_states() const {
        std::vector<std::byte> states(apus_session_states_size(get()));
        detail::call(apus_session_save_states, get(), static_cast<void *>(states.data()), states.size());
        return states;
    }
    void load_states(span<const std::byte> states) {
        detail::call(apus_session_load_states, get(), static_cast<const void *>(states.data()), states.size());
    }

    // The session's memory of one state of Model::states(), to read or write between runs; T as for an input.
    template <class T> span<T> state(const Key &state) {
        std::size_t index = state.index;
        if (state.named)
            for (index = 0; index < states_.size() && state.name != states_[index].name;) ++index;
        void *data = apus_session_state_data(get(), index);
        if (!data || index >= states_.size())
            throw Error(APUS_INVALID_ARGUMENT, "state '" + (state.named ? std::string(state.name) : std::to_string(index)) +
                                                   "': no such " + (state.named ? "name" : "index"));
        require_type<T>(states_[index].name, states_[index].dtype);
        return {static_cast<T *>(data), states_[index].byte_size / sizeof(T)};
    }

    // Takes the states of another session of the same model; from then on both continue on their own.
    void copy_states(const Session &source) { detail::call(apus_session_copy_states, get(), source.get()); }
    // A session that continues where this one stands.
    Session fork(Options options = {}) const { return Session(*this, std::move(options)); }

    // The steps of a function in running order; empty unless Options::profile was set.
    std::vector<apus_profile_entry> profile(const Key &function = 0) const {
        const std::size_t index = index_of(function);
        std::vector<apus_profile_entry> entries(apus_session_profile_count(get(), index));
        for (std::size_t step = 0; step < entries.size(); ++step)
            detail::call(apus_session_profile, get(), index, step, &entries[step]);
        return entries;
    }

private:
    friend class Model;
    using ParallelFor = std::function<void(std::size_t, Body)>;
    using Info = apus_status (*)(const apus_session *, std::size_t, std::size_t, apus_tensor_info *, apus_error *);
    struct Tensor {
        std::size_t function, index;
        apus_tensor_info info;
    };

    static void forward(void *parallel, std::size_t count, apus_parallel_body body, void *context) noexcept {
        (*static_cast<const ParallelFor *>(parallel))(count, Body(body, context));
    }

    // The C options; they point into `options`, `limits` and `parallel`.
    static apus_session_options translated(const Options &options, std::vector<apus_dimension_limit> &limits,
                                           ParallelFor *parallel) {
        apus_session_options raw{};
        apus_session_options_init(&raw);
        for (const auto &[name, maximum] : options.dimensions) limits.push_back({name.c_str(), maximum});
        raw.threads = options.threads;
        raw.dimensions = limits.data();
        raw.dimension_count = limits.size();
        raw.profile = options.profile;
        raw.memory = options.memory.data();
        raw.memory_size = options.memory.size();
        if (parallel && *parallel) {
            raw.parallel_for = forward;
            raw.parallel_context = parallel;
        }
        return raw;
    }

    Session(const Session &source, Options options)
        : parallel_for_(std::make_unique<ParallelFor>(std::move(options.parallel_for))), functions_(source.functions_),
          symbols_(source.symbols_), states_(source.states_) {
        make(apus_session_fork, const_cast<const apus_session *>(source.get()), options);
    }

    template <class Create, class Source> void make(Create create, Source source, const Options &options) {
        std::vector<apus_dimension_limit> limits;
        const apus_session_options raw = translated(options, limits, parallel_for_.get());
        apus_session *session = nullptr;
        detail::call(create, source, &raw, &session);
        session_.reset(session);
    }

    std::size_t index_of(const Key &function) const {
        if (!function.named) return function.index;
        for (std::size_t index = 0; index < functions_.size(); ++index)
            if (functions_[index] == function.name) return index;
        throw Error(APUS_INVALID_ARGUMENT, "function '" + std::string(function.name) + "': no such name");
    }

    Tensor find(Info info, const char *kind, const Key &function, const Key &key) const {
        Tensor tensor{index_of(function), key.index, {}};
        if (!key.named) {
            detail::call(info, get(), tensor.function, tensor.index, &tensor.info);
            return tensor;
        }
        for (; info(get(), tensor.function, tensor.index, &tensor.info, nullptr) == APUS_OK; ++tensor.index)
            if (key.name == tensor.info.name) return tensor;
        throw Error(APUS_INVALID_ARGUMENT, std::string(kind) + " '" + std::string(key.name) + "': no such name");
    }
    Tensor input_of(const Key &function, const Key &key) const {
        return find(apus_session_input_info, "input", function, key);
    }
    Tensor output_of(const Key &function, const Key &key) const {
        return find(apus_session_output_info, "output", function, key);
    }

    // The bytes of a tensor whose memory is the session's; throws where it is the caller's.
    static std::size_t owned(const Tensor &tensor, const void *data, const char *kind) {
        if (data || tensor.info.byte_size == 0) return tensor.info.byte_size;
        throw Error(APUS_INVALID_ARGUMENT, std::string(kind) + " '" + tensor.info.name + "' is bound to the caller's memory");
    }

    // Throws unless a tensor holds elements of type T.
    template <class T> static void require_type(const std::string &name, apus_dtype dtype) {
        if (detail::holds<T>(dtype)) return;
        throw Error(APUS_INVALID_ARGUMENT, "tensor '" + name + "': dtype " + detail::dtype_name(dtype) +
                                               " found, another type was asked for");
    }
    template <class T> static Tensor typed(const Tensor &tensor) {
        require_type<T>(tensor.info.name, tensor.info.dtype);
        return tensor;
    }

    std::unique_ptr<ParallelFor> parallel_for_;  // outlives session_, whose threads may call it
    std::unique_ptr<apus_session, detail::DestroySession> session_;
    std::vector<std::string> functions_, symbols_;
    std::vector<TensorInfo> states_;
};

inline std::size_t Model::memory_size(const Options &options) const {
    std::vector<apus_dimension_limit> limits;
    auto parallel = options.parallel_for;
    const apus_session_options raw = Session::translated(options, limits, &parallel);
    std::size_t size = 0;
    detail::call(apus_session_memory_size, get(), &raw, &size);
    return size;
}

}  // namespace apus
#endif
