/* What a register tile of integer products is given, and the tables of them. */
#ifndef CK_QUANTIZED_PRODUCT_TILE_H
#define CK_QUANTIZED_PRODUCT_TILE_H

#include "dot.h"
#include "product_view.h"

#define PRODUCT_UNROLL _Pragma("clang loop unroll(full)")

/* Whether a tile of so many columns leaves c out, which is added to its sums: tiles of AMX wait for what they begin with. */
#define PRODUCT_BARE(columns) (V_WIDTH == 16 && (columns) >= 64)

/* Whether a tile takes more than one stretch, if it is none of AMX. */
#define PRODUCT_STRETCHES(rows, panels) (V_WIDTH == 16 && (panels) <= 2)

/* Whether a tile of VNNI turns its sums into codes itself, where it is told to; whether it adds a residual to them. */
#define PRODUCT_FUSES(rows, panels) \
    (V_WIDTH == 16 && ((rows) == 12 || (((rows) == 5 || (rows) == 6 || (rows) == 8) && (panels) == 2)) && (panels) <= 2)
#define PRODUCT_ADDS(rows, panels) ((rows) == 12 && (panels) == 2)

/* sums[r][n] = [c[n]] + Σ u[r][k] · w[k][n] for whole panels. The k of a row lie in `lines` stretches of `depth` fours. */
typedef struct {
    const uint8_t *u;
    const int8_t *w;
    const int32_t *c;
    int32_t *sums; /* [rows][panels · 16] */
    size_t u_pitch, panel_bytes, depth, lines, down; /* down: bytes of u from a stretch to the next */
    size_t ahead; /* bytes from a panel to what later tiles will multiply */
    size_t fetch; /* of AMX: lines of it that come in with each step */
    const uint16_t *large; /* of small rows: how many fours are not small, and which; NULL: rows are no such */
    /* Codes of sums · m [+ residual] in the place of sums; y is NULL: sums. */
    int8_t *y;
    const int8_t *residual; /* NULL: none, and products are tame */
    const float *m;
    const product_quantizer *quantizer;
    size_t y_pitch, columns; /* of y */
} product_tile;

typedef void (*product_micro)(const product_tile *);

/* The tiles of an instruction set: [(rows − 1) >> shift][log2 panels], NULL where there is none. A tile may read and sum
 * rows up to the next multiple of 2^shift. */
typedef struct {
    const product_micro (*of)[4]; /* without one panel: no tile has that height */
    size_t highest; /* rows */
    unsigned shift;
    void (*configure)(size_t depth); /* NULL: none; else before any tile */
} product_kernels;

/* The walk over units, which is the same whatever multiplies the tiles. */
#define PRODUCT_RUN(isa)                                                                                               \
    void product_run_##isa(const ck_product8_params *p, void *const *operands, size_t begin, size_t end, unsigned lane, \
                           const product_kernels *kernels)
PRODUCT_RUN(avx2);
PRODUCT_RUN(avx512);

#endif
