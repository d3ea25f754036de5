/* The matrix product against the core's peak and against OpenBLAS, on one thread.
 *
 *   clang -O2 -ffp-contract=off -ISources/CKernels/include Benchmarks/kernels/gemm_bench.c \
 *       $(find Sources/CKernels/gemm -name "*.c") Sources/CKernels/isa/isa.c -lopenblas -lm -o /tmp/gemm_bench
 *   OPENBLAS_NUM_THREADS=1 /tmp/gemm_bench [m n k]
 *
 * Columns: GFLOP/s of the product over packed panels; the same with packing B counted in; OpenBLAS;
 * then AVX2 and B in f16. Each is the best of several runs, taken in turns. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ck_gemm.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#if defined(__x86_64__)
#include <immintrin.h>
__attribute__((target("avx512f"), noinline)) static double peak_avx512(void) {
    __m512 s[16], x = _mm512_set1_ps(0.5f);
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 16; i++) s[i] = _mm512_set1_ps((float)i);
    const long turns = 2000000;
    double best = 1e9;
    for (int round = 0; round < 5; round++) {
        double begin = now();
        for (long t = 0; t < turns; t++)
            _Pragma("clang loop unroll(full)") for (int i = 0; i < 16; i++) {
                s[i] = _mm512_fmadd_ps(s[i], x, x);
                __asm__("" : "+v"(s[i]));
            }
        double seconds = now() - begin;
        if (seconds < best) best = seconds;
    }
    return (double)turns * 16 * 32 / best * 1e-9;
}
#endif

typedef struct {
    ck_task task;
    const void *params;
    void **operands;
    size_t units;
} job;

static void product(const job *j) { j->task(j->params, j->operands, 0, j->units, 0); }

/* Seconds a call, best of `rounds` runs of about 5 ms. */
#define BEST(best, statement)                                                       \
    do {                                                                            \
        double begin = now(), seconds;                                              \
        statement;                                                                  \
        long repeats = 1 + (long)(5e-3 / (now() - begin + 1e-9));                   \
        begin = now();                                                              \
        for (long r = 0; r < repeats; r++) statement;                               \
        seconds = (now() - begin) / (double)repeats;                                \
        if (seconds < best) best = seconds;                                         \
    } while (0)

static void *filled(size_t count) {
    float *p = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    if (!p) abort();
    for (size_t i = 0; i < count; i++) p[i] = (float)(i % 17) / 16 - 0.5f;
    return p;
}

static void bench(int m, int n, int k) {
    size_t size = (size_t)ck_panels_size(k, n);
    float *a = filled((size_t)m * (size_t)k), *b = filled((size_t)k * (size_t)n), *c = filled((size_t)m * (size_t)n);
    float *panels = filled(size), *half = filled(size), *bias = filled((size_t)n);
    ck_gemm_params p = {.m = m, .n = n, .k = k, .a_row_stride = k, .a_k_stride = 1, .c_row_stride = n,
                        .batch = 1, .has_bias = 1};
    ck_panels_params q = {.k = k, .n = n, .row_stride = n, .column_stride = 1, .batch = 1};
    void *operands[] = {a, panels, bias, c}, *half_operands[] = {a, half, bias, c};
    void *pack_operands[] = {b, panels}, *pack_half[] = {b, half};
    ck_isa isa = ck_isa_base(ck_isa_native());
    job fast = {ck_gemm(CK_F32, CK_F32, isa), &p, operands, ck_gemm_units(&p)};
    job avx2 = fast, f16 = fast, pack = {ck_pack_panels(CK_F32, CK_F32, isa), &q, pack_operands, ck_panels_units(&q)};
    avx2.task = ck_gemm(CK_F32, CK_F32, CK_ISA_AVX2);
    f16.task = ck_gemm(CK_F32, CK_F16, isa);
    f16.operands = half_operands;
    ck_pack_panels(CK_F32, CK_F16, isa)(&q, pack_half, 0, ck_panels_units(&q), 0);
    product(&pack);

    double t[5] = {1e9, 1e9, 1e9, 1e9, 1e9};
    for (int round = 0; round < 12; round++) {
        BEST(t[0], product(&fast));
        BEST(t[1], product(&pack));
        BEST(t[2], cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, k, b, n, 0, c, n));
        BEST(t[3], product(&avx2));
        BEST(t[4], product(&f16));
    }
    double work = 2.0 * m * n * k * 1e-9;
    printf("%5d %5d %5d  %4zu units %9.2f µs  %6.1f  +pack %6.1f  OpenBLAS %6.1f  avx2 %6.1f  f16 %6.1f\n", m, k, n,
           fast.units, t[0] * 1e6, work / t[0], work / (t[0] + t[1]), work / t[2], work / t[3], work / t[4]);
    free(a), free(b), free(c), free(panels), free(half), free(bias);
}

int main(int argc, char **argv) {
#if defined(__x86_64__)
    if (ck_isa_base(ck_isa_native()) == CK_ISA_AVX512) printf("peak of AVX-512 fma: %.1f GFLOP/s\n", peak_avx512());
#endif
    printf("    m     k     n\n");
    if (argc == 4) return bench(atoi(argv[1]), atoi(argv[3]), atoi(argv[2])), 0;
    static const int shapes[][3] = {
        {32, 784, 128}, {128, 784, 128}, {2048, 288, 64}, {512, 512, 512}, {1, 1024, 1024}, {32, 64, 64},
        {12, 32, 1024}, {1, 64, 64}, {10, 64, 64}, {64, 64, 1}, {1, 10, 64}, {8, 512, 512}, {1024, 1024, 1024},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) bench(shapes[i][0], shapes[i][2], shapes[i][1]);
}
