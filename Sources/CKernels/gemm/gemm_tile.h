/* What a micro-kernel of ROWS rows × PANELS panels is told. It computes
 *     c = (load ? c : 0) + a·b, over `k` steps, then + bias, then max(·, 0) if relu,
 * over whole panels: c and bias are 16 · PANELS wide. */
#ifndef CK_GEMM_TILE_H
#define CK_GEMM_TILE_H

#include <stdint.h>

typedef struct {
    const float *a;
    int64_t a_row_stride, a_k_stride;
    const void *b;
    int64_t panel_stride; /* elements between panels of b */
    const float *bias;    /* or NULL */
    float *c;
    int64_t c_row_stride;
    int64_t k;
    int32_t load, relu;
} gemm_tile;

typedef void (*gemm_micro)(const gemm_tile *);
#endif
