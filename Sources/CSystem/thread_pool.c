#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One generation per run. A run's lanes are claimed one by one, by the workers and by the caller, so that the caller waits
 * for lanes that a worker has begun and for no worker that the system has not scheduled. Both spin briefly, then sleep:
 * workers on `generation`, the caller on `pending`.
 *
 * `unclaimed` is generation << 32 | lanes left; who takes one off runs it. `body` and `context` are the run's until
 * `pending`, the number of lanes that are not done, is 0. */
struct cs_pool {
    _Alignas(64) _Atomic uint32_t generation;
    _Atomic uint64_t unclaimed;
    _Alignas(64) _Atomic uint32_t pending;
    _Atomic uint32_t caller_sleeps;
    _Alignas(64) _Atomic uint32_t sleepers;
    _Atomic uint32_t waking; /* sleepers were woken, and none has run since */
    _Atomic uint32_t stopping;
    pid_t owner; /* the process that has the workers; one that it forks has none of them */
    cs_body body;
    void *context;
    size_t lanes;
    pthread_t workers[];
};

enum { SPINS = 4000, STACK = 1 << 19 };

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0); }

/* A lane of the run at hand, or 0 if all are taken. */
static size_t claim(cs_pool *pool) {
    uint64_t ticket = atomic_load_explicit(&pool->unclaimed, memory_order_acquire);
    while ((uint32_t)ticket != 0)
        if (atomic_compare_exchange_weak(&pool->unclaimed, &ticket, ticket - 1)) return (uint32_t)ticket;
    return 0;
}

static void sleep_until_run(cs_pool *pool, uint32_t seen) {
    atomic_fetch_add(&pool->sleepers, 1);
    futex_wait(&pool->generation, seen);
    atomic_fetch_sub(&pool->sleepers, 1);
    atomic_store(&pool->waking, 0);
}

static void *work(void *argument) {
    cs_pool *pool = argument;
    uint32_t seen = 0, now;
    cs_float_begin(); /* a thread begins with its maker's mode */
    for (;;) {
        int spins = 0;
        while ((now = atomic_load_explicit(&pool->generation, memory_order_acquire)) == seen) {
            if (++spins < SPINS) relax();
            else sleep_until_run(pool, seen);
        }
        seen = now;
        if (atomic_load(&pool->stopping)) return NULL;
        for (size_t lane; (lane = claim(pool)) != 0;) {
            pool->body(pool->context, lane);
            if (atomic_fetch_sub(&pool->pending, 1) == 1 && atomic_load(&pool->caller_sleeps)) futex_wake(&pool->pending);
        }
    }
}

/* Signals are the host's: a worker takes none that a thread of the host's may be waiting for, but for its own faults, what a
 * profiler counts by, and the three that C libraries keep to themselves. A call of the system's, since its mask is one number. */
#define SIGNAL(number) (1ull << ((number) - 1))
static const uint64_t host_signals = ~(SIGNAL(SIGILL) | SIGNAL(SIGTRAP) | SIGNAL(SIGBUS) | SIGNAL(SIGFPE) | SIGNAL(SIGSEGV) |
                                       SIGNAL(SIGPROF) | SIGNAL(32) | SIGNAL(33) | SIGNAL(34));

static void set_signals(int how, const uint64_t *mask, uint64_t *old) { syscall(SYS_rt_sigprocmask, how, mask, old, sizeof *mask); }

size_t cs_pool_size(size_t lanes) { return sizeof(cs_pool) + lanes * sizeof(pthread_t); }

int cs_pool_start(cs_pool *pool, size_t lanes) {
    atomic_init(&pool->generation, 0);
    atomic_init(&pool->unclaimed, 0);
    atomic_init(&pool->pending, 0);
    atomic_init(&pool->caller_sleeps, 0);
    atomic_init(&pool->sleepers, 0);
    atomic_init(&pool->waking, 0);
    atomic_init(&pool->stopping, 0);
    pool->owner = getpid();
    pool->lanes = 1;
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) return error;
    pthread_attr_setstacksize(&attributes, STACK); /* not as little as the host may have left for threads */
    uint64_t signals;
    set_signals(SIG_BLOCK, &host_signals, &signals); /* a thread begins with its maker's mask */
    while (pool->lanes < lanes && (error = pthread_create(&pool->workers[pool->lanes], &attributes, work, pool)) == 0)
        pool->lanes++;
    set_signals(SIG_SETMASK, &signals, NULL);
    pthread_attr_destroy(&attributes);
    if (error != 0) cs_pool_stop(pool);
    return error;
}

void cs_pool_run(cs_pool *pool, cs_body body, void *context) {
    const uint32_t others = (uint32_t)(pool->lanes - 1);
    const uint32_t generation = atomic_load_explicit(&pool->generation, memory_order_relaxed) + 1;
    pool->body = body;
    pool->context = context;
    atomic_store(&pool->pending, others);
    atomic_store(&pool->unclaimed, (uint64_t)generation << 32 | others);
    atomic_store(&pool->generation, generation);
    if (atomic_load(&pool->sleepers) != 0 && atomic_exchange(&pool->waking, 1) == 0) futex_wake(&pool->generation);

    body(context, 0);
    for (size_t lane; (lane = claim(pool)) != 0;) {
        body(context, lane);
        atomic_fetch_sub(&pool->pending, 1);
    }
    int spins = 0;
    uint32_t pending;
    while ((pending = atomic_load_explicit(&pool->pending, memory_order_acquire)) != 0) {
        if (++spins < SPINS) {
            relax();
        } else {
            atomic_store(&pool->caller_sleeps, 1);
            futex_wait(&pool->pending, pending);
            atomic_store(&pool->caller_sleeps, 0);
        }
    }
}

void cs_pool_stop(cs_pool *pool) {
    atomic_store(&pool->stopping, 1);
    atomic_fetch_add(&pool->generation, 1);
    futex_wake(&pool->generation);
    for (size_t i = 1; i < pool->lanes && pool->owner == getpid(); i++) pthread_join(pool->workers[i], NULL);
    pool->lanes = 1;
}

/* A piece of stretch `of`, or 0. */
static size_t take_of(size_t *taken, size_t count, size_t lanes, size_t of, size_t least, size_t *first) {
    const size_t start = of * count / lanes, length = (of + 1) * count / lanes - start;
    size_t begin = __atomic_load_n(&taken[of * CS_TAKEN], __ATOMIC_RELAXED), size;
    do {
        if (begin >= length) return 0;
        const size_t left = length - begin, share = left / 2;
        size = share > least ? share : least < left ? least : left;
    } while (!__atomic_compare_exchange_n(
        &taken[of * CS_TAKEN], &begin, begin + size, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    *first = start + begin;
    return size;
}

size_t cs_take(size_t *taken, size_t count, size_t lanes, size_t lane, size_t least, size_t *first) {
    const size_t fraction = 1 + count / (32 * lanes);
    if (least < fraction) least = fraction;
    for (size_t i = 0; i < lanes; i++) {
        const size_t of = lane + i < lanes ? lane + i : lane + i - lanes;
        const size_t size = take_of(taken, count, lanes, of, least, first);
        if (size != 0) return size;
    }
    return 0;
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
