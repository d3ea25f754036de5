/* Matrix products over packed panels: C = act(A·B + bias + residual), batched.
 *
 * Panels. B[k,n] is stored as [ceil(n/16)][k][16]: panel p holds the columns 16p ..< 16p+16, row after
 * row; columns past n are zero. A kernel may read all of a panel; of every other operand it touches
 * the stated elements alone.
 */
#ifndef CK_GEMM_H
#define CK_GEMM_H

#include "ck.h"

#ifdef __cplusplus
extern "C" {
#endif

/* C[m,n] = act(A[m,k]·B[k,n] + bias[n] + residual[m,n]).
 *
 * Operands: A, plain B (if has_plain), B in panels, bias (if has_bias), residual (if has_residual), start (if has_start), C. An
 * absent operand has no place in the list. All but B are f32 (f64); residual is strided like C, and start but for its rows.
 * C overlaps no other operand. Strides count elements; a transposed A is one with a_row_stride 1.
 *
 * Contract: an element of A·B is one chain of fused multiply-adds in f32 (f64) over ascending k,
 * beginning at 0, at start if there is one, or at C if `accumulate`; if `paired`, the chain over even k plus the one over odd k, both
 * beginning at 0. Then bias is added, then residual, then act applied. So its
 * bits depend on nothing but its own row of A and column of B: not on m, the tiling, the threads or,
 * before act, the instruction set. (Payloads of NaN excepted.) */
typedef struct {
    int64_t m, n, k;
    int64_t b_rows /* of B's panels, which may have more than the k that are read; 0: k */;
    int64_t a_row_stride, a_k_stride, c_row_stride;
    int64_t start_row_stride; /* not 0 */
    int64_t batch, a_batch_stride, b_batch_stride /* 0: one B for all */, c_batch_stride;
    /* Training: whether there is a plain B, and it is read in the place of panels; of whole panels, n % 16 == 0. */
    int32_t has_plain, reads_plain;
    int32_t has_bias, has_residual, has_start, accumulate;
    int32_t paired; /* without `accumulate` and start */
    ck_activation_params activation;
} ck_gemm_params;

/* Variants: a = f32 with b = f32, f16, bf16, i8 (the integers themselves, without `paired`) (reference, AVX2, AVX-512); a = b = f64
 * (reference).
 * Unit: one block of C, ck_gemm_units(params) of them. */
ck_task ck_gemm(ck_dtype a, ck_dtype b, ck_isa isa);

/* How many units a product has: 1 a batch entry where splitting does not pay (about 2 µs of work),
 * above 64 where there is enough work. */
size_t ck_gemm_units(const ck_gemm_params *params);

/* Between a plain B[batch][k,n] and its panels. `row_stride` steps k, `column_stride` steps n. */
typedef struct {
    int64_t k, n, row_stride, column_stride;
    /* Entry i of the batch lies at i / group · batch_stride + i % group · group_stride on the plain side, a group of 0
     * counting as 1; on the other, panels follow each other. */
    int64_t batch, batch_stride, group, group_stride;
} ck_panels_params;

/* Elements of the panels of one B[k,n]. */
int64_t ck_panels_size(int64_t k, int64_t n);

/* Operands: plain, panels. Variants: f32 → f32, f16, bf16 (rounding to nearest even); f64 → f64.
 * Unit: one panel, batch · ceil(n/16) of them. */
ck_task ck_pack_panels(ck_dtype plain, ck_dtype panels, ck_isa isa);

/* Operands: panels, plain. Variants: f32, f16, bf16 → f32; f64 → f64. Unit: one panel. */
ck_task ck_unpack_panels(ck_dtype panels, ck_dtype plain, ck_isa isa);

size_t ck_panels_units(const ck_panels_params *params);

#ifdef __cplusplus
}
#endif
#endif
