/* misuse MODEL: every function of apus.h, called wrongly. */
#include "support.h"

static const size_t nowhere = SIZE_MAX;

static void inspecting(const apus_model *model) {
    apus_tensor_info info;
    apus_dimension_info dimension;
    size_t index = 0, functions = apus_model_function_count(model), inputs = apus_model_input_count(model, 0),
           outputs = apus_model_output_count(model, 0), entries = apus_model_metadata_count(model);
    CHECK(functions > 0 && outputs > 0);
    CHECK(apus_model_function_count(NULL) == 0);
    CHECK(apus_model_function_name(NULL, 0) == NULL);
    CHECK(apus_model_function_name(model, functions) == NULL);
    CHECK(apus_model_function_name(model, nowhere) == NULL);
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_find_function(NULL, "predict", &index, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_find_function(model, NULL, &index, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_find_function(model, "no such function", &index, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_find_function(model, apus_model_function_name(model, 0), NULL, error));
    REQUIRE(apus_model_find_function(model, apus_model_function_name(model, functions - 1), &index, error));
    CHECK(index == functions - 1);

    CHECK(apus_model_input_count(NULL, 0) == 0 && apus_model_output_count(NULL, 0) == 0);
    CHECK(apus_model_input_count(model, nowhere) == 0 && apus_model_output_count(model, functions) == 0);
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_input_info(NULL, 0, 0, &info, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_input_info(model, functions, 0, &info, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_input_info(model, 0, inputs, &info, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_input_info(model, nowhere, nowhere, &info, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_input_info(model, 0, 0, NULL, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_output_info(NULL, 0, 0, &info, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_output_info(model, functions, 0, &info, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_output_info(model, 0, outputs, &info, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_output_info(model, 0, 0, NULL, error));

    REQUIRE(apus_model_output_info(model, 0, outputs - 1, &info, error));
    REQUIRE(apus_model_find_output(model, 0, info.name, &index, error));
    CHECK(index == outputs - 1);
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_find_output(NULL, 0, info.name, &index, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_find_output(model, functions, info.name, &index, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_find_output(model, 0, NULL, &index, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_find_output(model, 0, "", &index, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_find_output(model, 0, info.name, NULL, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_find_input(NULL, 0, "x", &index, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_find_input(model, nowhere, "x", &index, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_find_input(model, 0, NULL, &index, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_find_input(model, 0, "no such input", &index, error));

    CHECK(apus_model_dimension_count(NULL) == 0);
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_dimension_info(NULL, 0, &dimension, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_dimension_info(model, apus_model_dimension_count(model), &dimension, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_dimension_info(model, nowhere, NULL, error));

    CHECK(apus_model_metadata_count(NULL) == 0);
    CHECK(apus_model_metadata_key(NULL, 0) == NULL && apus_model_metadata_value(NULL, 0) == NULL);
    CHECK(apus_model_metadata_key(model, entries) == NULL && apus_model_metadata_value(model, nowhere) == NULL);
    CHECK(apus_model_metadata(NULL, "key") == NULL && apus_model_metadata(model, NULL) == NULL);
    CHECK(apus_model_metadata(model, "no such key") == NULL && apus_model_metadata(model, "") == NULL);
}

static void *allocate(void *context, size_t size, size_t alignment) {
    (void)context, (void)size, (void)alignment;
    return NULL;
}

/* Blocks that begin 32 bytes beside the alignment; `context` counts them. */
static void *allocate_beside(void *context, size_t size, size_t alignment) {
    void *block;
    if (posix_memalign(&block, alignment, size + 32)) exit(1);
    ++*(int *)context;
    return (unsigned char *)block + 32;
}

static void release_beside(void *context, void *memory, size_t size) {
    (void)size;
    --*(int *)context;
    free((unsigned char *)memory - 32);
}

static void creating(apus_model *model) {
    apus_session *session = NULL;
    apus_session_options good, options;
    size_t size = 0;
    apus_session_options_init(NULL);
    apus_session_options_init(&good);
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_memory_size(NULL, &good, &size, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_memory_size(model, &good, NULL, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_create(NULL, &good, &session, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_create(model, &good, NULL, error));

#define REFUSES_OPTIONS(wanted, change)                                                \
    do {                                                                               \
        options = good;                                                                \
        change;                                                                        \
        session = (apus_session *)&session;                                            \
        REFUSES(wanted, apus_session_create(model, &options, &session, error));        \
        CHECK(session == NULL);                                                        \
    } while (0)
#define REFUSES_ALL(wanted, change)                                                    \
    do {                                                                               \
        REFUSES_OPTIONS(wanted, change);                                               \
        REFUSES(wanted, apus_session_memory_size(model, &options, &size, error));      \
    } while (0)
    REFUSES_ALL(APUS_INVALID_ARGUMENT, options.struct_size = 0);
    REFUSES_ALL(APUS_INVALID_ARGUMENT, options.struct_size = 1);
    REFUSES_ALL(APUS_INVALID_ARGUMENT, options.struct_size = SIZE_MAX);
    REFUSES_ALL(APUS_INVALID_ARGUMENT, options.threads = 0);
    REFUSES_ALL(APUS_INVALID_ARGUMENT, options.threads = INT32_MIN);
    REFUSES_ALL(APUS_INVALID_ARGUMENT, options.dimension_count = 1);

    apus_dimension_limit limit = {"no such dimension", 1};
    REFUSES_ALL(APUS_INVALID_ARGUMENT, (options.dimensions = &limit, options.dimension_count = 1));
    limit.name = NULL;
    REFUSES_ALL(APUS_INVALID_ARGUMENT, (options.dimensions = &limit, options.dimension_count = 1));
    for (size_t i = 0; i < apus_model_dimension_count(model); ++i) {
        apus_dimension_info info;
        REQUIRE(apus_model_dimension_info(model, i, &info, error));
        const int64_t wrong[] = {info.minimum - 1, info.maximum + 1, -1, INT64_MAX, INT64_MIN};
        for (size_t w = 0; w < sizeof wrong / sizeof *wrong; ++w) {
            limit = (apus_dimension_limit){info.name, wrong[w]};
            REFUSES_ALL(APUS_BAD_SHAPE, (options.dimensions = &limit, options.dimension_count = 1));
        }
    }

    REQUIRE(apus_session_memory_size(model, NULL, &size, error));
    unsigned char *memory = NULL;
    if (posix_memalign((void **)&memory, 64, size + 64)) exit(1);
    REFUSES_OPTIONS(APUS_OUT_OF_MEMORY, (options.memory = memory, options.memory_size = size - 1));
    REFUSES_OPTIONS(APUS_OUT_OF_MEMORY, (options.memory = memory, options.memory_size = 0));
    REFUSES_OPTIONS(APUS_INVALID_ARGUMENT, (options.memory = memory + 1, options.memory_size = size + 63));
    REFUSES_OPTIONS(APUS_INVALID_ARGUMENT, (options.memory = memory + 32, options.memory_size = size));
    free(memory);
    REFUSES_OPTIONS(APUS_INVALID_ARGUMENT, options.allocate = allocate);
    int blocks = 0;
    REFUSES_OPTIONS(APUS_INVALID_ARGUMENT, (options.allocate = allocate_beside, options.release = release_beside,
                                            options.allocator_context = &blocks));
    CHECK(blocks == 0);
    apus_session_destroy(NULL);
}

static void dimensions(const apus_model *model, apus_session *session) {
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_set_dimension(NULL, "batch", 1, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_set_dimension(session, NULL, 1, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_set_dimension(session, "no such dimension", 1, error));
    for (size_t i = 0; i < apus_model_dimension_count(model); ++i) {
        apus_dimension_info info;
        REQUIRE(apus_model_dimension_info(model, i, &info, error));
        REFUSES(APUS_BAD_SHAPE, apus_session_set_dimension(session, info.name, info.minimum - 1, error));
        REFUSES(APUS_BAD_SHAPE, apus_session_set_dimension(session, info.name, info.maximum + 1, error));
        REFUSES(APUS_BAD_SHAPE, apus_session_set_dimension(session, info.name, INT64_MIN, error));
        REFUSES(APUS_BAD_SHAPE, apus_session_set_dimension(session, info.name, INT64_MAX, error));
    }
}

static void tensors(const apus_model *model, apus_session *session) {
    apus_tensor_info info;
    size_t inputs = apus_model_input_count(model, 0), outputs = apus_model_output_count(model, 0);
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_input_info(NULL, 0, 0, &info, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_input_info(session, nowhere, 0, &info, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_input_info(session, 0, inputs, &info, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_output_info(NULL, 0, 0, &info, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_output_info(session, 0, 0, NULL, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_output_info(session, 0, nowhere, &info, error));
    CHECK(apus_session_input_data(NULL, 0, 0) == NULL && apus_session_output_data(NULL, 0, 0) == NULL);
    CHECK(apus_session_input_data(session, nowhere, 0) == NULL && apus_session_input_data(session, 0, inputs) == NULL);
    CHECK(apus_session_output_data(session, 0, nowhere) == NULL);

    REQUIRE(apus_session_output_info(session, 0, outputs - 1, &info, error));
    size_t size = info.byte_size;
    unsigned char *data = NULL;
    if (posix_memalign((void **)&data, 64, size + 64)) exit(1);
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_get_output(NULL, 0, 0, data, size, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_get_output(session, 0, outputs, data, size, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_get_output(session, nowhere, 0, data, size, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_get_output(session, 0, outputs - 1, NULL, size, error));
    REFUSES(APUS_BAD_SHAPE, apus_session_get_output(session, 0, outputs - 1, data, size - 1, error));
    REFUSES(APUS_BAD_SHAPE, apus_session_get_output(session, 0, outputs - 1, data, size + 1, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_bind_output(NULL, 0, 0, data, size, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_bind_output(session, 0, outputs, data, size, error));
    REFUSES(APUS_BAD_SHAPE, apus_session_bind_output(session, 0, outputs - 1, data, size - 1, error));
    if (info.dtype == APUS_F32)
        REFUSES(APUS_INVALID_ARGUMENT, apus_session_bind_output(session, 0, outputs - 1, data + 1, size, error));
    free(data);
    if (inputs == 0) return;

    REQUIRE(apus_session_input_info(session, 0, inputs - 1, &info, error));
    size = info.byte_size;
    if (posix_memalign((void **)&data, 64, size + 64)) exit(1);
    memset(data, 0, size + 64);
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_set_input(NULL, 0, 0, data, size, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_set_input(session, 0, inputs, data, size, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_set_input(session, nowhere, 0, data, size, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_set_input(session, 0, inputs - 1, NULL, size, error));
    REFUSES(APUS_BAD_SHAPE, apus_session_set_input(session, 0, inputs - 1, data, size - 1, error));
    REFUSES(APUS_BAD_SHAPE, apus_session_set_input(session, 0, inputs - 1, data, size + 1, error));
    REFUSES(APUS_BAD_SHAPE, apus_session_set_input(session, 0, inputs - 1, data, 0, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_bind_input(NULL, 0, 0, data, size, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_bind_input(session, 0, inputs, data, size, error));
    REFUSES(APUS_BAD_SHAPE, apus_session_bind_input(session, 0, inputs - 1, data, size - 1, error));
    if (info.dtype == APUS_F32)
        REFUSES(APUS_INVALID_ARGUMENT, apus_session_bind_input(session, 0, inputs - 1, data + 1, size, error));

    /* What was refused was not bound or set. */
    REFUSES(APUS_NOT_READY, apus_session_run(session, error));

    free(data);
}

/* Memory bound for a small size is not used beyond it after the dimension has grown. */
static void growing(const apus_model *model, apus_session *session) {
    for (size_t i = 0; i < apus_model_dimension_count(model); ++i) {
        apus_dimension_info dimension;
        apus_tensor_info small, large;
        REQUIRE(apus_model_dimension_info(model, i, &dimension, error));
        for (int outward = 0; outward <= 1; ++outward) {
            apus_status (*info)(const apus_session *, size_t, size_t, apus_tensor_info *, apus_error *) =
                outward ? apus_session_output_info : apus_session_input_info;
            REQUIRE(apus_session_set_dimension(session, dimension.name, dimension.maximum, error));
            if (info(session, 0, 0, &large, NULL)) continue;
            REQUIRE(apus_session_set_dimension(session, dimension.name, dimension.minimum, error));
            REQUIRE(info(session, 0, 0, &small, error));
            if (small.byte_size == large.byte_size) continue;
            void *data = calloc(1, small.byte_size);
            REQUIRE(set_inputs(model, session, 0, 1, error));
            if (outward) REQUIRE(apus_session_bind_output(session, 0, 0, data, small.byte_size, error));
            else REQUIRE(apus_session_bind_input(session, 0, 0, data, small.byte_size, error));
            REQUIRE(apus_session_run(session, error));
            apus_error said;
            bool refused = apus_session_set_dimension(session, dimension.name, dimension.maximum, &said) ||
                           apus_session_run(session, &said);
            CHECK(refused && said.code == APUS_BAD_SHAPE && one_line(said.message));
            if (outward) REQUIRE(apus_session_bind_output(session, 0, 0, NULL, 0, error));
            else REQUIRE(apus_session_bind_input(session, 0, 0, NULL, 0, error));
            REQUIRE(apus_session_set_dimension(session, dimension.name, dimension.maximum, error));
            REQUIRE(set_inputs(model, session, 0, 1, error));
            REQUIRE(apus_session_run(session, error));
            free(data);
        }
    }
}

/* Bound input memory is the caller's and constant: setting the input does not write there. */
static void setting_what_is_bound(const apus_model *model, apus_session *session) {
    apus_tensor_info info;
    if (apus_model_input_count(model, 0) == 0) return;
    REQUIRE(apus_session_input_info(session, 0, 0, &info, error));
    unsigned char *bound = (unsigned char *)calloc(1, info.byte_size), *other = (unsigned char *)malloc(info.byte_size);
    memset(other, 1, info.byte_size);
    REQUIRE(apus_session_bind_input(session, 0, 0, bound, info.byte_size, error));
    apus_session_set_input(session, 0, 0, other, info.byte_size, NULL);
    bool untouched = true;
    for (size_t i = 0; i < info.byte_size; ++i) untouched = untouched && bound[i] == 0;
    CHECK(untouched);
    REQUIRE(apus_session_bind_input(session, 0, 0, NULL, 0, error));
    free(bound);
    free(other);
}

static void states(const apus_model *model, apus_session *session) {
    size_t size = apus_session_states_size(session);
    unsigned char *data = (unsigned char *)calloc(1, size + 2);
    CHECK(apus_session_states_size(NULL) == 0);
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_reset_states(NULL, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_save_states(NULL, data, size, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_load_states(NULL, data, size, error));
    REFUSES(APUS_BAD_SHAPE, apus_session_save_states(session, data, size + 1, error));
    REFUSES(APUS_BAD_SHAPE, apus_session_load_states(session, data, size + 1, error));
    REQUIRE(apus_session_save_states(session, data, size, error));
    REQUIRE(apus_session_load_states(session, data, size, error));
    REQUIRE(apus_session_reset_states(session, error));
    apus_session *fork = session;
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_copy_states(NULL, session, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_copy_states(session, NULL, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_fork(session, NULL, NULL, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_fork(NULL, NULL, &fork, error));
    CHECK(fork == NULL);
    REQUIRE(apus_session_fork(session, NULL, &fork, error));
    REQUIRE(apus_session_copy_states(fork, session, error));
    apus_session_destroy(fork);
    const size_t count = apus_model_state_count(model);
    apus_tensor_info info;
    CHECK(apus_model_state_count(NULL) == 0);
    CHECK(apus_session_state_data(NULL, 0) == NULL && apus_session_state_data(session, count) == NULL);
    CHECK(apus_session_state_data(session, (size_t)-1) == NULL);
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_state_info(model, count, &info, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_state_info(NULL, 0, &info, error));
    for (size_t state = 0; state < count; ++state) {
        REFUSES(APUS_INVALID_ARGUMENT, apus_model_state_info(model, state, NULL, error));
        REQUIRE(apus_model_state_info(model, state, &info, error));
        CHECK(apus_session_state_data(session, state) != NULL && info.byte_size <= size);
    }
    if (size > 0) {
        REFUSES(APUS_INVALID_ARGUMENT, apus_session_save_states(session, NULL, size, error));
        REFUSES(APUS_INVALID_ARGUMENT, apus_session_load_states(session, NULL, size, error));
        REFUSES(APUS_BAD_SHAPE, apus_session_save_states(session, data, size - 1, error));
        REFUSES(APUS_BAD_SHAPE, apus_session_load_states(session, data, size - 1, error));
    }
    free(data);
}

static void profiles(apus_model *model) {
    apus_session_options options;
    apus_session *plain, *timed;
    apus_profile_entry entry;
    apus_session_options_init(&options);
    REQUIRE(apus_session_create(model, &options, &plain, error));
    options.profile = 1;
    REQUIRE(apus_session_create(model, &options, &timed, error));
    size_t steps = apus_session_profile_count(timed, 0);
    CHECK(apus_session_profile_count(NULL, 0) == 0 && apus_session_profile_count(timed, nowhere) == 0);
    CHECK(apus_session_profile_count(plain, 0) == 0);
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_profile(NULL, 0, 0, &entry, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_profile(plain, 0, 0, &entry, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_profile(timed, nowhere, 0, &entry, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_profile(timed, 0, steps, &entry, error));
    CHECK(steps > 0);
    if (steps > 0) REFUSES(APUS_INVALID_ARGUMENT, apus_session_profile(timed, 0, 0, NULL, error));
    REQUIRE(set_inputs(model, timed, 0, 1, error));
    REQUIRE(apus_session_run(timed, error));
    for (size_t step = 0; step < steps; ++step) {
        REQUIRE(apus_session_profile(timed, 0, step, &entry, error));
        CHECK(entry.runs == 1 && entry.node && entry.operator_name && entry.isa);
    }
    apus_session_destroy(timed);
    apus_session_destroy(plain);
}

static void running(const char *path) {
    apus_model *model;
    apus_session *session;
    REQUIRE(apus_model_open(path, &model, error));
    REQUIRE(apus_session_create(model, NULL, &session, error));
    size_t functions = apus_model_function_count(model), outputs = apus_model_output_count(model, 0);
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_run(NULL, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_run_function(NULL, 0, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_run_function(session, functions, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_session_run_function(session, nowhere, error));
    if (apus_model_input_count(model, 0) > 0) REFUSES(APUS_NOT_READY, apus_session_run(session, error));
    REQUIRE(set_inputs(model, session, 0, 1, error));
    REQUIRE(apus_session_run(session, error));
    uint64_t before = hash_outputs(session, 0, outputs);
    REQUIRE(apus_session_reset_states(session, error));
    REQUIRE(set_inputs(model, session, 0, 1, error));

    apus_model_close(model);
    REQUIRE(apus_session_run(session, error));
    CHECK(before != 0 && hash_outputs(session, 0, outputs) == before);
    apus_session_destroy(session);
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    print_lines();
    apus_model *model;
    apus_session *session;
    REQUIRE(apus_model_open(arguments[1], &model, error));
    inspecting(model);
    creating(model);
    REQUIRE(apus_session_create(model, NULL, &session, error));
    dimensions(model, session);
    tensors(model, session);
    growing(model, session);
    setting_what_is_bound(model, session);
    states(model, session);
    apus_session_destroy(session);
    profiles(model);
    apus_model_close(model);
    running(arguments[1]);
    return failures != 0;
}
