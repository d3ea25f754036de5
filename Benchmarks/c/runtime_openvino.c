#include "harness.h"

/* The part of OpenVINO's C interface in use. Every function returns 0, or a negative status. */
typedef void *handle;
typedef struct {
    int64_t rank;
    int64_t *dims;
} ov_shape;
typedef struct {
    const char *key, *value;
} ov_property;
static const int types[] = {[BENCH_F32] = 4, [BENCH_I32] = 9, [BENCH_I64] = 10};

static int (*core_create)(handle *);
static int (*core_compile)(handle, const char *, const char *, size_t, const ov_property *, handle *);
static int (*create_infer_request)(handle, handle *);
static int (*tensor_from_host)(int, ov_shape, void *, handle *);
static int (*set_input)(handle, size_t, handle);
static int (*set_output)(handle, size_t, handle);
static int (*infer)(handle);
static const char *(*last_error)(void);
static handle request;

static void check(int status) {
    if (status) bench_fail("openvino: status %d, %s", status, last_error());
}

static void load(const bench_job *job) {
    void *library = bench_library(job->library);
    core_create = (__typeof__(core_create))bench_symbol(library, "ov_core_create");
    core_compile = (__typeof__(core_compile))bench_symbol(library, "ov_core_compile_model_from_file_props");
    create_infer_request =
        (__typeof__(create_infer_request))bench_symbol(library, "ov_compiled_model_create_infer_request");
    tensor_from_host = (__typeof__(tensor_from_host))bench_symbol(library, "ov_tensor_create_from_host_ptr");
    set_input = (__typeof__(set_input))bench_symbol(library, "ov_infer_request_set_input_tensor_by_index");
    set_output = (__typeof__(set_output))bench_symbol(library, "ov_infer_request_set_output_tensor_by_index");
    infer = (__typeof__(infer))bench_symbol(library, "ov_infer_request_infer");
    last_error = (__typeof__(last_error))bench_symbol(library, "ov_get_last_err_msg");
}

static void open(const bench_job *job) {
    handle core, compiled, input, output;
    char threads[16] = {(char)('0' + job->threads)};
    const ov_property properties[] = {
        {"INFERENCE_NUM_THREADS", threads},
        {"NUM_STREAMS", "1"},
        {"PERFORMANCE_HINT", "LATENCY"},
        {"INFERENCE_PRECISION_HINT", "f32"},
    };
    check(core_create(&core));
    check(core_compile(core, job->model, "CPU", sizeof properties / sizeof *properties, properties, &compiled));
    check(create_infer_request(compiled, &request));
    int64_t output_dims[] = {1, (int64_t)(job->output_size / 4)};
    const ov_shape input_shape = {job->rank, (int64_t *)job->shape}, output_shape = {2, output_dims};
    check(tensor_from_host(types[job->type], input_shape, job->input, &input));
    check(tensor_from_host(types[BENCH_F32], output_shape, job->output, &output));
    check(set_input(request, 0, input));
    check(set_output(request, 0, output));
}

static void run(void) { check(infer(request)); }

const bench_runtime bench_openvino = {"openvino", load, open, run};
