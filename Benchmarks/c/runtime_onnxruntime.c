#include "harness.h"

/* ONNX Runtime's C interface is a table of functions whose places never change; its wheel has no header, so the places
 * in use are named here. Every function returns NULL, or a status whose message GetErrorMessage gives. */
enum {
    GET_ERROR_MESSAGE = 2,
    CREATE_ENV = 3,
    CREATE_SESSION = 7,
    RUN = 9,
    CREATE_SESSION_OPTIONS = 10,
    SET_GRAPH_OPTIMIZATION_LEVEL = 23,
    SET_INTRA_OP_THREADS = 24,
    SET_INTER_OP_THREADS = 25,
    SESSION_GET_INPUT_NAME = 36,
    SESSION_GET_OUTPUT_NAME = 37,
    CREATE_TENSOR_WITH_DATA = 49,
    GET_DEFAULT_ALLOCATOR = 78,
    CREATE_CPU_MEMORY_INFO = 69,
};
enum { ENABLE_ALL = 99, LOG_ERRORS = 3, ARENA_ALLOCATOR = 1, DEFAULT_MEMORY = 0 };
static const int types[] = {[BENCH_F32] = 1, [BENCH_I32] = 6, [BENCH_I64] = 7};

typedef void *handle;
typedef handle status;
typedef struct {
    void *const *(*get_api)(uint32_t version);
    const char *(*version)(void);
} api_base;

static void *const *api;
static handle session, input, output;
static char *input_name, *output_name;

static void check(status failed) {
    if (failed) bench_fail("onnxruntime: %s", ((const char *(*)(status))api[GET_ERROR_MESSAGE])(failed));
}
#define CALL(place, types, ...) check(((status(*) types)api[place])(__VA_ARGS__))

static void load(const bench_job *job) {
    const api_base *(*base)(void) = (const api_base *(*)(void))bench_symbol(bench_library(job->library), "OrtGetApiBase");
    api = base()->get_api(13);
    if (!api) bench_fail("onnxruntime %s has no interface 13", base()->version());
}

static void open(const bench_job *job) {
    handle env, options, memory, allocator;
    CALL(CREATE_ENV, (int, const char *, handle *), LOG_ERRORS, "bench", &env);
    CALL(CREATE_SESSION_OPTIONS, (handle *), &options);
    CALL(SET_GRAPH_OPTIMIZATION_LEVEL, (handle, int), options, ENABLE_ALL);
    CALL(SET_INTRA_OP_THREADS, (handle, int), options, job->threads);
    CALL(SET_INTER_OP_THREADS, (handle, int), options, 1);
    CALL(CREATE_SESSION, (handle, const char *, handle, handle *), env, job->model, options, &session);
    CALL(GET_DEFAULT_ALLOCATOR, (handle *), &allocator);
    CALL(SESSION_GET_INPUT_NAME, (handle, size_t, handle, char **), session, 0, allocator, &input_name);
    CALL(SESSION_GET_OUTPUT_NAME, (handle, size_t, handle, char **), session, 0, allocator, &output_name);
    CALL(CREATE_CPU_MEMORY_INFO, (int, int, handle *), ARENA_ALLOCATOR, DEFAULT_MEMORY, &memory);
    const int64_t output_shape[] = {1, (int64_t)(job->output_size / 4)};
    CALL(CREATE_TENSOR_WITH_DATA, (handle, void *, size_t, const int64_t *, size_t, int, handle *), memory, job->input,
         job->input_size, job->shape, (size_t)job->rank, types[job->type], &input);
    CALL(CREATE_TENSOR_WITH_DATA, (handle, void *, size_t, const int64_t *, size_t, int, handle *), memory, job->output,
         job->output_size, output_shape, (size_t)2, types[BENCH_F32], &output);
}

static void run(void) {
    CALL(RUN, (handle, handle, char *const *, const handle *, size_t, char *const *, size_t, handle *), session, 0,
         &input_name, &input, 1, &output_name, 1, &output);
}

const bench_runtime bench_onnxruntime = {"onnxruntime", load, open, run};
