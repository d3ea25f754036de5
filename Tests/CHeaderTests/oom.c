/* oom MODEL: malloc fails at the k-th call, for every k across open, create, run and close. */
#include "support.h"
#include "counted_malloc.h"

/* Each symbolic dimension to its minimum and back: plans are made again. */
static apus_status shrink_and_grow(const apus_model *model, apus_session *session, apus_error *error) {
    for (size_t i = 0; i < apus_model_dimension_count(model); ++i) {
        apus_dimension_info info;
        apus_status status = apus_model_dimension_info(model, i, &info, error);
        if (status == APUS_OK) status = apus_session_set_dimension(session, info.name, info.minimum, error);
        if (status == APUS_OK) status = apus_session_set_dimension(session, info.name, info.maximum, error);
        if (status != APUS_OK) return status;
    }
    return APUS_OK;
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
    status = apus_session_create(model, &options, &session, error);
    if (status != APUS_OK) CHECK(session == NULL);
    if (status != APUS_OK) session = NULL;
    if (status == APUS_OK) status = set_inputs(model, session, 0, 5, error);
    if (status == APUS_OK) status = apus_session_run(session, error);
    if (status == APUS_OK) status = shrink_and_grow(model, session, error);
    if (status == APUS_OK) status = apus_session_run(session, error);
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
        failing = -1;
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
    long opened = every_failure("file", arguments[1], NULL, 1);
    long aligned = every_failure("memory", NULL, &file, 1);
    long pooled = every_failure("three threads", arguments[1], NULL, 3);
    memmove(moved.data, file.data, file.size);
    long copied = every_failure("unaligned memory", NULL, &moved, 1);
    CHECK(opened > 0 && aligned > 0 && pooled > 0 && copied > 0);
    printf("oom: every one of %ld, %ld, %ld, %ld allocations\n", opened, aligned, pooled, copied);
    return failures != 0;
}
