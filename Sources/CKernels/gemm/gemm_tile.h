/* What a micro-kernel of ROWS rows × PANELS panels is told. It computes
 *     c = from + a·b, over `k` steps, then + each addend, then, with one of `limits`, at least low, with two (where GEMM_CLIPS)
 * also at most high,
 * over whole panels: from, addends and c are 16 · PANELS wide. from may be c. */
#ifndef CK_GEMM_TILE_H
#define CK_GEMM_TILE_H

#include <stdint.h>

/* What to fetch meanwhile: the line at `at`, so many bytes further with every k, and with every tile beside this one. An
 * address where nothing is costs a look for its page with every k. */
typedef struct {
    uintptr_t at;
    int64_t step, move;
} gemm_ahead;

/* What is added to every row of the sums, or to each its own. */
typedef struct {
    const float *at;   /* NULL after the last */
    int64_t row_bytes; /* from one to the next; 0 where all are one */
} gemm_addend;

typedef struct {
    const float *a;
    int64_t a_row_stride, a_k_stride;
    const void *b;
    int64_t panel_stride; /* elements between panels of b */
    int64_t row_gap;      /* elements between the end of a panel's row and the next */
    gemm_ahead a_ahead, b_ahead, c_ahead; /* b's: of each panel, and moves as b does */
    gemm_addend addends[3]; /* bias and residual, those there are; then one that is nowhere */
    const float *from;
    int64_t from_row_bytes; /* 0 where every row starts at zero, which `from` holds for one */
    float *c;
    int64_t c_row_bytes;
    int64_t k;
    float low, high;
    int32_t limits;
    int32_t bf16; /* of b with 16-bit elements: bf16, not f16 */
} gemm_tile;

typedef void (*gemm_micro)(const gemm_tile *);

/* Those for f32 of an instruction set, [rows − 1][log2 panels]: one panel for every height, NULL where there are no more. */
#if defined(__x86_64__)
extern const gemm_micro gemm_f32_kernels_avx512[12][3], gemm_f32_kernels_avx2[6][3];
#endif
#endif
