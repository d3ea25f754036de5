/* Times one model on one runtime, as the driver (Benchmarks/bench) asks.
 *
 *   harness RUNTIME LIBRARY MODEL THREADS f32|i32|i64:1x28x28x1 INPUT OUTPUT OUTPUT_SIZE
 *
 * INPUT holds the input's bytes; the first result is written to OUTPUT. Then a line of JSON: the microseconds that
 * opening took and opening with the first run. Each line on standard input is answered by one of JSON:
 *
 *   time BLOCKS CALLS   nanoseconds of a call, for each block the mean of CALLS calls
 *   memory              KB by which the peak resident set exceeds the resident set before the library was loaded */
#include "harness.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void bench_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

void *bench_library(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!library) bench_fail("%s", dlerror());
    return library;
}

void *bench_symbol(void *library, const char *name) {
    void *symbol = dlsym(library, name);
    if (!symbol) bench_fail("%s", dlerror());
    return symbol;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A figure of /proc/self/status in KB, such as "VmHWM:". */
static long status(const char *key) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long value = 0;
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, key, strlen(key))) value = atol(line + strlen(key));
    if (file) fclose(file);
    return value;
}

static void *buffer(size_t size) {
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64 + 64);
    if (!memory) bench_fail("%zu bytes: out of memory", size);
    return memset(memory, 0, size);
}

static void parse_shape(const char *text, bench_job *job) {
    job->type = text[0] == 'f' ? BENCH_F32 : text[1] == '3' ? BENCH_I32 : BENCH_I64;
    job->input_size = job->type == BENCH_I64 ? 8 : 4;
    for (char *rest = (char *)text + 3; *rest == ':' || *rest == 'x';) {
        if (job->rank == 8) bench_fail("%s: more than 8 dimensions", text);
        job->shape[job->rank] = strtol(rest + 1, &rest, 10);
        job->input_size *= (size_t)job->shape[job->rank++];
    }
}

static void read_input(const char *path, bench_job *job) {
    FILE *file = fopen(path, "rb");
    if (!file || fread(job->input, 1, job->input_size, file) != job->input_size)
        bench_fail("%s: wanted %zu bytes", path, job->input_size);
    fclose(file);
}

static void write_output(const char *path, const bench_job *job) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(job->output, 1, job->output_size, file) != job->output_size || fclose(file))
        bench_fail("%s: cannot be written", path);
}

static void time_blocks(const bench_runtime *runtime, long blocks, long calls) {
    double *times = malloc((size_t)blocks * sizeof *times);
    if (!times) bench_fail("%ld blocks: out of memory", blocks);
    for (long block = 0; block < blocks; block++) {
        double began = now();
        for (long call = 0; call < calls; call++) runtime->run();
        times[block] = (now() - began) / (double)calls;
    }
    for (long block = 0; block < blocks; block++) printf("%c%.1f", block ? ',' : '[', times[block]);
    printf("]\n");
    free(times);
}

int main(int count, char **arguments) {
    static const bench_runtime *const runtimes[] = {&bench_apus, &bench_onnxruntime, &bench_litert, &bench_openvino};
    if (count != 9) bench_fail("8 arguments wanted, see the head of harness.c");
    const bench_runtime *runtime = NULL;
    for (size_t i = 0; i < sizeof runtimes / sizeof *runtimes; i++)
        if (!strcmp(runtimes[i]->name, arguments[1])) runtime = runtimes[i];
    if (!runtime) bench_fail("no runtime '%s'", arguments[1]);

    bench_job job = {.library = arguments[2], .model = arguments[3], .threads = atoi(arguments[4])};
    parse_shape(arguments[5], &job);
    job.output_size = strtoul(arguments[8], NULL, 10);
    job.input = buffer(job.input_size);
    job.output = buffer(job.output_size);
    read_input(arguments[6], &job);

    long base = status("VmRSS:");
    runtime->load(&job);
    double began = now();
    runtime->open(&job);
    double opened = now();
    runtime->run();
    double first = now();
    write_output(arguments[7], &job);
    printf("{\"open_us\": %.1f, \"first_us\": %.1f}\n", (opened - began) * 1e-3, (first - began) * 1e-3);
    fflush(stdout);

    char line[128];
    while (fgets(line, sizeof line, stdin)) {
        long blocks, calls;
        if (sscanf(line, "time %ld %ld", &blocks, &calls) == 2 && blocks > 0 && calls > 0)
            time_blocks(runtime, blocks, calls);
        else if (!strncmp(line, "memory", 6))
            printf("%ld\n", status("VmHWM:") - base);
        else
            bench_fail("'%s' is no command", line);
        fflush(stdout);
    }
    return 0;
}
