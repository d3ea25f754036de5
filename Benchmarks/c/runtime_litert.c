#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The part of LiteRT's C interface in use; its wheel has the library and no header. Every function returns 0, or the
 * number of an error. The CPU accelerator is XNNPACK. */
typedef void *handle;
typedef struct {
    int32_t element;
    uint32_t rank; /* 7 bits; the eighth says that there are strides */
    int32_t dimensions[8];
    uint32_t strides[8];
} tensor_type;
enum { CPU_ACCELERATOR = 1 };
static const int32_t types[] = {[BENCH_F32] = 1, [BENCH_I32] = 2, [BENCH_I64] = 4};

static int (*create_environment)(int, const void *, handle *);
static int (*create_model)(handle, const char *, handle *);
static int (*create_options)(handle *);
static int (*set_accelerators)(handle, int);
static int (*create_opaque_options)(const char *, void *, void (*)(void *), handle *);
static int (*add_opaque_options)(handle, handle);
static int (*create_compiled_model)(handle, handle, handle, handle *);
static int (*buffer_from_host)(const tensor_type *, void *, size_t, void (*)(void *), handle *);
static int (*run_compiled_model)(handle, size_t, size_t, handle *, size_t, handle *);
static handle compiled, input, output;

static void check(int status, const char *what) {
    if (status) bench_fail("litert: %s: status %d", what, status);
}

static void load(const bench_job *job) {
    void *library = bench_library(job->library);
    create_environment = (__typeof__(create_environment))bench_symbol(library, "LiteRtCreateEnvironment");
    create_model = (__typeof__(create_model))bench_symbol(library, "LiteRtCreateModelFromFile");
    create_options = (__typeof__(create_options))bench_symbol(library, "LiteRtCreateOptions");
    set_accelerators = (__typeof__(set_accelerators))bench_symbol(library, "LiteRtSetOptionsHardwareAccelerators");
    create_opaque_options = (__typeof__(create_opaque_options))bench_symbol(library, "LiteRtCreateOpaqueOptions");
    add_opaque_options = (__typeof__(add_opaque_options))bench_symbol(library, "LiteRtAddOpaqueOptions");
    create_compiled_model = (__typeof__(create_compiled_model))bench_symbol(library, "LiteRtCreateCompiledModel");
    buffer_from_host = (__typeof__(buffer_from_host))bench_symbol(library, "LiteRtCreateTensorBufferFromHostMemory");
    run_compiled_model = (__typeof__(run_compiled_model))bench_symbol(library, "LiteRtRunCompiledModel");
}

/* The options of the CPU are text in TOML. */
static handle cpu_options(int threads) {
    handle options, cpu;
    char *text = malloc(32);
    if (!text) bench_fail("litert: out of memory");
    snprintf(text, 32, "num_threads = %d\n", threads);
    check(create_options(&options), "options");
    check(set_accelerators(options, CPU_ACCELERATOR), "accelerator");
    check(create_opaque_options("xnnpack", text, free, &cpu), "CPU options");
    check(add_opaque_options(options, cpu), "CPU options");
    return options;
}

static void open(const bench_job *job) {
    handle environment, model;
    check(create_environment(0, NULL, &environment), "environment");
    check(create_model(environment, job->model, &model), job->model);
    check(create_compiled_model(environment, model, cpu_options(job->threads), &compiled), job->model);
    tensor_type in = {types[job->type], (uint32_t)job->rank, {0}, {0}};
    for (int i = 0; i < job->rank; i++) in.dimensions[i] = (int32_t)job->shape[i];
    const tensor_type out = {types[BENCH_F32], 2, {1, (int32_t)(job->output_size / 4)}, {0}};
    check(buffer_from_host(&in, job->input, job->input_size, NULL, &input), "input");
    check(buffer_from_host(&out, job->output, job->output_size, NULL, &output), "output");
}

static void run(void) { check(run_compiled_model(compiled, 0, 1, &input, 1, &output), "run"); }

const bench_runtime bench_litert = {"litert", load, open, run};
