/* oom MODEL: malloc fails at the k-th call, for every k across open, create, run and close; then at the k-th and every
 * later one. */
#include "support.h"
#include "counted_malloc.h"

/* Bytes of all inputs and outputs at the current dimensions; while they are asked for, malloc succeeds. */
static size_t tensor_bytes(const apus_model *model, const apus_session *session) {
    const long left = atomic_exchange(&failing, NO_FAILURE);
    apus_tensor_info info;
    size_t total = 0;
    for (size_t f = 0; f < apus_model_function_count(model); ++f) {
        for (size_t i = 0; i < apus_model_input_count(model, f); ++i, total += info.byte_size)
            REQUIRE(apus_session_input_info(session, f, i, &info, error));
        for (size_t i = 0; i < apus_model_output_count(model, f); ++i, total += info.byte_size)
            REQUIRE(apus_session_output_info(session, f, i, &info, error));
    }
    atomic_store(&failing, left);
    return total;
}

/* Where a dimension cannot be set, it is what it was. */
static apus_status resize(const apus_model *model, apus_session *session, const char *name, int64_t size,
                          apus_error *error) {
    const size_t before = tensor_bytes(model, session);
    apus_status status = apus_session_set_dimension(session, name, size, error);
    if (status != APUS_OK) CHECK(tensor_bytes(model, session) == before);
    return status;
}

/* Each symbolic dimension to its minimum and back: plans are made again. */
static apus_status shrink_and_grow(const apus_model *model, apus_session *session, apus_error *error) {
    for (size_t i = 0; i < apus_model_dimension_count(model); ++i) {
        apus_dimension_info info;
        apus_status status = apus_model_dimension_info(model, i, &info, error);
        if (status == APUS_OK) status = resize(model, session, info.name, info.minimum, error);
        if (status == APUS_OK) status = resize(model, session, info.name, info.maximum, error);
        if (status != APUS_OK) return status;
    }
    return APUS_OK;
}

static apus_status save_and_load(apus_session *session, apus_error *error) {
    static unsigned char saved[1 << 20];
    size_t size = apus_session_states_size(session);
    if (size > sizeof saved) return APUS_OK;
    apus_status status = apus_session_save_states(session, saved, size, error);
    return status ? status : apus_session_load_states(session, saved, size, error);
}

/* What can be asked of a model; nothing of it changes anything. */
static apus_status inspect(const apus_model *model, apus_error *error) {
    apus_tensor_info info;
    size_t found, size;
    apus_status status = apus_session_memory_size(model, NULL, &size, error);
    for (size_t f = 0; status == APUS_OK && f < apus_model_function_count(model); ++f)
        status = apus_model_find_function(model, apus_model_function_name(model, f), &found, error);
    for (size_t i = 0; status == APUS_OK && i < apus_model_output_count(model, 0); ++i)
        status = apus_model_output_info(model, 0, i, &info, error);
    return status;
}

/* The whole life of a session; APUS_OK when nothing failed. Whatever happened, everything is closed. */
static apus_status life(const char *path, const bytes *file, int32_t threads, apus_error *error) {
    apus_session_options options;
    apus_model *model = (apus_model *)&options; /* failure sets it to NULL */
    apus_session *session = (apus_session *)&options;
    apus_session_options_init(&options);
    options.threads = threads;
    options.profile = 1;
    apus_status status = file ? apus_model_open_memory(file->data, file->size, &model, error)
                              : apus_model_open(path, &model, error);
    if (status != APUS_OK) CHECK(model == NULL);
    if (status != APUS_OK) return status;
    status = inspect(model, error);
    if (status != APUS_OK) {
        apus_model_close(model);
        return status;
    }
    status = apus_session_create(model, &options, &session, error);
    if (status != APUS_OK) CHECK(session == NULL);
    if (status != APUS_OK) session = NULL;
    if (status == APUS_OK) status = set_inputs(model, session, 0, 5, error);
    if (status == APUS_OK) status = apus_session_run(session, error);
    if (status == APUS_OK) status = shrink_and_grow(model, session, error);
    if (status == APUS_OK) status = apus_session_run(session, error);
    if (status == APUS_OK) status = save_and_load(session, error);
    if (status == APUS_OK) status = apus_session_reset_states(session, error);
    apus_session_destroy(session);
    apus_model_close(model);
    return status;
}

/* Returns how many calls of malloc one undisturbed life makes. */
static long every_failure(const char *name, const char *path, const bytes *file, int32_t threads) {
    REQUIRE(life(path, file, threads, error)); /* what a process allocates only once, it has now */
    for (long k = 0; k < 1000000; ++k) {
        apus_error error = {APUS_OK, ""};
        long blocks = live, failures_before = failed;
        failing = k;
        apus_status status = life(path, file, threads, &error);
        failing = NO_FAILURE;
        if (live != blocks) {
            ++failures;
            printf("%s: %ld blocks leaked after malloc number %ld failed\n", name, live - blocks, k);
        }
        if (failed == failures_before) {
            CHECK(status == APUS_OK);
            return k;
        }
        if (status == APUS_OK) continue; /* done without: a smaller buffer, fewer threads */
        bool refused = status == APUS_OUT_OF_MEMORY || (threads > 1 && status == APUS_THREAD_ERROR);
        if (!refused || error.code != status || !one_line(error.message)) {
            ++failures;
            printf("%s: malloc number %ld failed: status %d \"%s\"\n", name, k, status, error.message);
        }
    }
    return -1;
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    print_lines();
    bytes file = read_file(arguments[1]);
    bytes moved = {file.data + 1, file.size};
    lasting = 1;
    long lasted = every_failure("nothing left", arguments[1], NULL, 1);
    CHECK(lasted > 0 && every_failure("nothing left, in memory", NULL, &file, 1) > 0);
    lasting = 0;
    long opened = every_failure("file", arguments[1], NULL, 1);
    long aligned = every_failure("memory", NULL, &file, 1);
    long pooled = every_failure("three threads", arguments[1], NULL, 3);
    memmove(moved.data, file.data, file.size);
    long copied = every_failure("unaligned memory", NULL, &moved, 1);
    CHECK(opened > 0 && aligned > 0 && pooled > 0 && copied > 0);
    printf("oom: every one of %ld, %ld, %ld, %ld allocations\n", opened, aligned, pooled, copied);
    return failures != 0;
}
