#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One generation per run. Workers spin briefly on `generation`, then sleep on it; the caller waits for `pending` the
 * same way. */
typedef struct {
    cs_pool *pool;
    size_t index;
    pthread_t thread;
} cs_worker;

struct cs_pool {
    _Alignas(64) _Atomic uint32_t generation;
    _Alignas(64) _Atomic uint32_t pending;
    _Alignas(64) _Atomic uint32_t sleepers;
    cs_body body;
    void *context;
    size_t lanes;
    int stopping;
    cs_worker workers[];
};

enum { SPINS = 4000 };

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0); }

static void *work(void *argument) {
    cs_worker *self = argument;
    cs_pool *pool = self->pool;
    uint32_t seen = 0;
    for (;;) {
        int spins = 0;
        while (atomic_load_explicit(&pool->generation, memory_order_acquire) == seen) {
            if (++spins < SPINS) {
                relax();
            } else {
                atomic_fetch_add(&pool->sleepers, 1);
                futex_wait(&pool->generation, seen);
                atomic_fetch_sub(&pool->sleepers, 1);
            }
        }
        seen++;
        if (pool->stopping) return NULL;
        pool->body(pool->context, self->index);
        if (atomic_fetch_sub(&pool->pending, 1) == 1) futex_wake(&pool->pending);
    }
}

static void publish(cs_pool *pool) {
    atomic_fetch_add(&pool->generation, 1);
    if (atomic_load(&pool->sleepers) != 0) futex_wake(&pool->generation);
}

size_t cs_pool_size(size_t lanes) { return sizeof(cs_pool) + lanes * sizeof(cs_worker); }

int cs_pool_start(cs_pool *pool, size_t lanes) {
    atomic_init(&pool->generation, 0);
    atomic_init(&pool->pending, 0);
    atomic_init(&pool->sleepers, 0);
    pool->stopping = 0;
    pool->lanes = 1;
    for (size_t i = 1; i < lanes; i++) {
        cs_worker *worker = &pool->workers[i];
        worker->pool = pool;
        worker->index = i;
        int error = pthread_create(&worker->thread, NULL, work, worker);
        if (error != 0) {
            cs_pool_stop(pool);
            return error;
        }
        pool->lanes++;
    }
    return 0;
}

void cs_pool_run(cs_pool *pool, cs_body body, void *context) {
    pool->body = body;
    pool->context = context;
    atomic_store(&pool->pending, (uint32_t)(pool->lanes - 1));
    publish(pool);
    body(context, 0);
    int spins = 0;
    uint32_t pending;
    while ((pending = atomic_load_explicit(&pool->pending, memory_order_acquire)) != 0) {
        if (++spins < SPINS) relax();
        else futex_wait(&pool->pending, pending);
    }
}

void cs_pool_stop(cs_pool *pool) {
    pool->stopping = 1;
    publish(pool);
    for (size_t i = 1; i < pool->lanes; i++) pthread_join(pool->workers[i].thread, NULL);
    pool->lanes = 1;
}

size_t cs_processor_count(void) {
    cpu_set_t set;
    size_t count = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0) count = (size_t)CPU_COUNT(&set);
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (file) {
        unsigned long quota, period;
        if (fscanf(file, "%lu %lu", &quota, &period) == 2 && period > 0) {
            size_t limit = (quota + period - 1) / period;
            if (limit > 0 && limit < count) count = limit;
        }
        fclose(file);
    }
    return count;
}
