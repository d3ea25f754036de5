/* One model on one runtime, timed from C. A runtime is two functions; harness.c does the rest. */
#ifndef APUS_BENCH_HARNESS_H
#define APUS_BENCH_HARNESS_H

#include <stddef.h>
#include <stdint.h>

typedef enum { BENCH_F32, BENCH_I32, BENCH_I64 } bench_type;

typedef struct {
    const char *library; /* the runtime's shared library, loaded by `open` */
    const char *model;   /* the file, in the runtime's own format */
    int threads;
    bench_type type;   /* of the input */
    int rank;          /* of the input */
    int64_t shape[8];  /* of the input, in the layout that the file wants */
    void *input;       /* aligned to 64; filled in before `open` */
    size_t input_size; /* in bytes */
    void *output;      /* f32, aligned to 64; `run` leaves the result here */
    size_t output_size;
} bench_job;

typedef struct {
    const char *name;
    /* Loads the library. */
    void (*load)(const bench_job *job);
    /* Opens the model and binds input and output: all that comes before the first run. */
    void (*open)(const bench_job *job);
    void (*run)(void);
} bench_runtime;

extern const bench_runtime bench_apus, bench_onnxruntime, bench_litert, bench_openvino;

/* Ends the program with one line on standard error. */
_Noreturn void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* dlopen and dlsym that fail by bench_fail. */
void *bench_library(const char *path);
void *bench_symbol(void *library, const char *name);

#endif
