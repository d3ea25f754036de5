/* What the programs of this folder share: a clock that stands while the system runs others, buffers, and times of tasks. */
#ifndef KERNELS_BENCH_H
#define KERNELS_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ck.h"

/* Seconds that this thread has run. */
static inline double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* `count` floats within ±0.5, on a line of the cache. */
static inline void *filled(size_t count) {
    float *p = aligned_alloc(64, (count * sizeof(float) + 64) / 64 * 64);
    if (!p) abort();
    for (size_t i = 0; i < count; i++) p[i] = (float)(i * 7919 % 1009) / 1009 - 0.5f;
    return p;
}

/* The same numbers in every run. */
static uint64_t random_state = 1;
static inline uint32_t random32(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}
/* One of low … high. */
static inline int32_t between(int32_t low, int32_t high) { return low + (int32_t)(random32() % (uint32_t)(high - low + 1)); }

/* A task, all of its units, and the seconds of its fastest run so far. */
typedef struct {
    ck_task task;
    const void *params;
    void *operands[9];
    size_t units;
    double seconds;
} job;

static inline void run_job(const job *j) { j->task(j->params, j->operands, 0, j->units, 0); }

/* Times j over a few milliseconds. To compare jobs, measure them in turns, in several rounds. */
static inline void measure(job *j) {
    double begin = now();
    run_job(j);
    const long repeats = 1 + (long)(4e-3 / (now() - begin + 1e-9));
    begin = now();
    for (long r = 0; r < repeats; r++) run_job(j);
    const double seconds = (now() - begin) / (double)repeats;
    if (!(j->seconds > 0) || seconds < j->seconds) j->seconds = seconds;
}
#endif
