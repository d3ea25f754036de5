#include "harness.h"

#include <apus.h>

static __typeof__(&apus_model_open) model_open;
static __typeof__(&apus_session_options_init) options_init;
static __typeof__(&apus_session_create) session_create;
static __typeof__(&apus_session_bind_input) bind_input;
static __typeof__(&apus_session_bind_output) bind_output;
static __typeof__(&apus_model_dimension_count) dimension_count;
static __typeof__(&apus_model_dimension_info) dimension_info;
static __typeof__(&apus_session_run) session_run;
static apus_session *session;

static void load(const bench_job *job) {
    void *library = bench_library(job->library);
    model_open = (__typeof__(model_open))bench_symbol(library, "apus_model_open");
    options_init = (__typeof__(options_init))bench_symbol(library, "apus_session_options_init");
    session_create = (__typeof__(session_create))bench_symbol(library, "apus_session_create");
    bind_input = (__typeof__(bind_input))bench_symbol(library, "apus_session_bind_input");
    bind_output = (__typeof__(bind_output))bench_symbol(library, "apus_session_bind_output");
    dimension_count = (__typeof__(dimension_count))bench_symbol(library, "apus_model_dimension_count");
    dimension_info = (__typeof__(dimension_info))bench_symbol(library, "apus_model_dimension_info");
    session_run = (__typeof__(session_run))bench_symbol(library, "apus_session_run");
}

/* Every symbolic dimension is planned for 1: the models are timed on one sample. */
static void open(const bench_job *job) {
    apus_model *model;
    apus_error error;
    apus_dimension_limit limits[8];
    if (model_open(job->model, &model, &error)) bench_fail("%s", error.message);
    apus_session_options options;
    options_init(&options);
    options.threads = job->threads;
    options.dimensions = limits;
    options.dimension_count = dimension_count(model);
    if (options.dimension_count > 8) bench_fail("%s: more than 8 symbolic dimensions", job->model);
    for (size_t i = 0; i < options.dimension_count; i++) {
        apus_dimension_info info;
        if (dimension_info(model, i, &info, &error)) bench_fail("%s", error.message);
        limits[i] = (apus_dimension_limit){info.name, 1};
    }
    if (session_create(model, &options, &session, &error) ||
        bind_input(session, 0, 0, job->input, job->input_size, &error) ||
        bind_output(session, 0, 0, job->output, job->output_size, &error))
        bench_fail("%s", error.message);
}

static void run(void) {
    if (session_run(session, NULL)) bench_fail("apus_session_run failed");
}

const bench_runtime bench_apus = {"apus", load, open, run};
