/* Matrix products in mixed precision, of training alone: operands rounded to bf16, sums in f32.
 *
 * Tiles. An operand of `count` lines (rows of A, columns of B) of k elements is stored as [ceil(count/16)][ceil(k/32)] tiles
 * of 16 × 16 pairs, 1 KiB each; a pair is two bf16 of neighbouring k, the even one first. A tile of A is [line][pair], one of
 * B [pair][line]. What lies past count or k is zero. For AVX512_BF16 pairs are made otherwise (mixed_avx512_bf16.c): a product and
 * its packing are chosen by the same ck_isa.
 */
#ifndef CK_MIXED_H
#define CK_MIXED_H

#include "ck.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CK_MIXED_LINES 16 /* of a tile */
#define CK_MIXED_DEPTH 32 /* elements of k in a tile */

/* Element (line, k) of entry i of a batch lies at i · batch_stride + line · line_stride + k · k_stride, one of the last two
 * strides 1. */
typedef struct {
    int64_t count, k, line_stride, k_stride, batch, batch_stride;
    int32_t by_pairs; /* tiles of B, not of A */
} ck_mixed_pack_params;

/* Operands: plain f32, tiles. Rounds to nearest even; what is below 2⁻¹²⁶ in size counts as 0, NaN stays NaN.
 * Unit: 16 lines, ck_mixed_pack_units(params) of them. */
ck_task ck_mixed_pack(ck_isa isa);
size_t ck_mixed_pack_units(const ck_mixed_pack_params *params);

/* Bytes of the tiles of one entry of a batch. */
int64_t ck_mixed_bytes(int64_t count, int64_t k);

typedef struct {
    int64_t m, n, k, batch;
    int64_t c_row_stride, c_batch_stride;
    int32_t a_shared, b_shared; /* one A, one B for all entries of the batch */
    int32_t has_bias;
} ck_mixed_params;

/* C[m,n] = A[m,k]·B[k,n] + bias[n], batched. Operands: tiles of A, tiles of B, bias f32 (if has_bias), C f32.
 *
 * Contract: over each 32 of k, from 0, the chain of fused multiply-adds over even k plus that over odd k; these sums added in
 * ascending order to bias, or to 0. So the bits depend on nothing but a row of A and a column of B; only where something is below
 * 2⁻¹²⁶ in size an instruction set may take it for 0.
 * Variants: reference, AVX2, AVX-512, AVX512_BF16 (where there is that beside VNNI), AMX. Unit: a block of C, ck_mixed_units(params) of them. */
ck_task ck_mixed(ck_isa isa);
size_t ck_mixed_units(const ck_mixed_params *params);

#ifdef __cplusplus
}
#endif
#endif
