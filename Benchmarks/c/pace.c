/* How fast each processor is just now: on a shared machine a neighbour may use the other half of a core, and with it half of its
 * instructions and of its first cache.
 *
 *   cc -O2 pace.c -o pace && ./pace
 *
 * For each line of standard input prints a JSON object: for each processor that this process may use, the nanoseconds of one
 * fixed piece of multiply-adds whose factors fill two thirds of the first cache. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <time.h>

enum { PASSES = 2500, CHAINS = 8, FLOATS = 32 * 1024 / 4 };

/* CHAINS sums that do not wait for each other, a factor of each from memory, as in a product of matrices. */
#define PIECE(name, isa, bytes, multiply_add)                                                 \
    __attribute__((target(isa))) static void name(const float *x) {                           \
        typedef float vector __attribute__((vector_size(bytes)));                             \
        vector s0 = {0}, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;       \
        vector y = *(const vector *)x;                                                        \
        for (int pass = 0; pass < PASSES; pass++)                                             \
            for (const vector *f = (const vector *)x; f < (const vector *)(x + FLOATS); f += CHAINS) { \
                STEP(multiply_add, s0, 0) STEP(multiply_add, s1, 1) STEP(multiply_add, s2, 2) \
                STEP(multiply_add, s3, 3) STEP(multiply_add, s4, 4) STEP(multiply_add, s5, 5) \
                STEP(multiply_add, s6, 6) STEP(multiply_add, s7, 7)                           \
            }                                                                                 \
    }
#define STEP(multiply_add, sum, i) __asm__ volatile(multiply_add : "+v"(sum) : "v"(y), "m"(f[i]));

PIECE(piece_avx2, "avx2,fma", 32, "vfmadd231ps %2, %1, %0")
PIECE(piece_avx512, "avx512f", 64, "vfmadd231ps %2, %1, %0")

static float factors[FLOATS] __attribute__((aligned(4096)));

static long nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

int main(void) {
    cpu_set_t allowed;
    char line[64];
    void (*piece)(const float *) = __builtin_cpu_supports("avx512f") ? piece_avx512 : piece_avx2;
    if (sched_getaffinity(0, sizeof allowed, &allowed)) return 1;
    while (fgets(line, sizeof line, stdin)) {
        const char *separator = "{";
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
            if (!CPU_ISSET(cpu, &allowed)) continue;
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            if (sched_setaffinity(0, sizeof one, &one)) return 1;
            long began = nanoseconds();
            piece(factors);
            printf("%s\"%d\": %ld", separator, cpu, nanoseconds() - began);
            separator = ", ";
        }
        puts("}");
        fflush(stdout);
    }
    return 0;
}
