/* The matrix product on one thread.
 *
 *   clang -O2 -ffp-contract=off -ISources/CKernels/include Benchmarks/kernels/gemm_bench.c \
 *       $(find Sources/CKernels -name "*.c") -lm -o /tmp/gemm_bench
 *   /tmp/gemm_bench M K N …
 *
 * A line for each product: m, k, n; microseconds over packed panels, on the best instruction set; the same with B in f16, and
 * on AVX2; microseconds of packing B. Each is the best of several runs, taken in turns. `make bench-kernels` asks for the
 * products of the benchmark's networks. */
#include "bench.h"
#include "ck_gemm.h"

enum { ROUNDS = 12, JOBS = 4 };

static void bench(int m, int k, int n) {
    const size_t size = (size_t)ck_panels_size(k, n);
    float *a = filled((size_t)m * (size_t)k), *b = filled((size_t)k * (size_t)n), *c = filled((size_t)m * (size_t)n);
    float *panels = filled(size), *half = filled(size), *bias = filled((size_t)n);
    const ck_gemm_params p = {.m = m, .n = n, .k = k, .a_row_stride = k, .a_k_stride = 1, .c_row_stride = n, .batch = 1,
                              .has_bias = 1};
    const ck_panels_params q = {.k = k, .n = n, .row_stride = n, .column_stride = 1, .batch = 1};
    const ck_isa isa = ck_isa_base(ck_isa_native()), avx2 = isa == CK_ISA_REFERENCE ? isa : CK_ISA_AVX2;
    const size_t units = ck_gemm_units(&p), packed = ck_panels_units(&q);
    job jobs[JOBS] = {
        {ck_gemm(CK_F32, CK_F32, isa), &p, {a, panels, bias, c}, units},
        {ck_gemm(CK_F32, CK_F16, isa), &p, {a, half, bias, c}, units},
        {ck_gemm(CK_F32, CK_F32, avx2), &p, {a, panels, bias, c}, units},
        {ck_pack_panels(CK_F32, CK_F32, isa), &q, {b, panels}, packed},
    };
    run_job(&jobs[3]);
    run_job(&(job){ck_pack_panels(CK_F32, CK_F16, isa), &q, {b, half}, packed});
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < JOBS; i++) measure(&jobs[i]);
    printf("%d %d %d", m, k, n);
    for (int i = 0; i < JOBS; i++) printf(" %.3f", jobs[i].seconds * 1e6);
    printf("\n");
    fflush(stdout);
    free(a), free(b), free(c), free(panels), free(half), free(bias);
}

int main(int count, char **arguments) {
    if (count < 4 || (count - 1) % 3) return fprintf(stderr, "usage: gemm_bench M K N …\n"), 1;
    for (int i = 1; i < count; i += 3) {
        const int m = atoi(arguments[i]), k = atoi(arguments[i + 1]), n = atoi(arguments[i + 2]);
        if (m < 1 || k < 1 || n < 1) return fprintf(stderr, "%d x %d x %d, wanted extents of 1 and more\n", m, k, n), 1;
        bench(m, k, n);
    }
    return 0;
}
