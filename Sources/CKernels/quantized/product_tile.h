/* What a register tile of integer products is given, and the tables of them. */
#ifndef CK_QUANTIZED_PRODUCT_TILE_H
#define CK_QUANTIZED_PRODUCT_TILE_H

#include "product_view.h"

#define PRODUCT_UNROLL _Pragma("clang loop unroll(full)")

/* sums[r][n] = c[n] + Σ u[r][k] · w[k][n] for whole panels. */
typedef struct {
    const uint8_t *u;
    const int8_t *w;
    const int32_t *c;
    int32_t *sums; /* [rows][panels · 16] */
    size_t u_pitch, panel_bytes, depth /* in fours */;
} product_tile;

typedef void (*product_micro)(const product_tile *);

/* The tiles of an instruction set: [(rows − 1) / step][log2 panels], NULL where there is none. A tile may read and sum
 * rows up to the next multiple of `step`. */
typedef struct {
    const product_micro (*of)[4];
    size_t highest, step; /* rows */
} product_kernels;

/* The walk over units, which is the same whatever multiplies the tiles. */
#define PRODUCT_RUN(isa)                                                                                               \
    void product_run_##isa(const ck_product8_params *p, void *const *operands, size_t begin, size_t end, unsigned lane, \
                           const product_kernels *kernels)
PRODUCT_RUN(avx2);
PRODUCT_RUN(avx512);

#endif
