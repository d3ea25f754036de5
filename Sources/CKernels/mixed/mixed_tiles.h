/* Where the tiles of operands lie, and how C is cut into units. */
#ifndef CK_MIXED_TILES_H
#define CK_MIXED_TILES_H

#include "../include/ck_mixed.h"

#define MIXED_PAIRS (CK_MIXED_DEPTH / 2)
#define MIXED_TILE (CK_MIXED_LINES * MIXED_PAIRS) /* pairs in a tile */
#define MIXED_ROWS 32                             /* of a unit's block of C */
#define MIXED_COLUMNS 128

#define MIXED_TASK(name) void name(const void *, void *const *, size_t, size_t, unsigned)
MIXED_TASK(ck_mixed_pack_reference);
MIXED_TASK(ck_mixed_reference);
#if defined(__x86_64__)
MIXED_TASK(ck_mixed_pack_avx2);
MIXED_TASK(ck_mixed_avx2);
MIXED_TASK(ck_mixed_pack_avx512);
MIXED_TASK(ck_mixed_avx512);
MIXED_TASK(ck_mixed_pack_avx512_bf16);
MIXED_TASK(ck_mixed_avx512_bf16);
MIXED_TASK(ck_mixed_avx512_amx);
#endif

static inline int64_t mixed_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t mixed_min(int64_t a, int64_t b) { return a < b ? a : b; }

/* Pairs in the tiles of 16 lines, and in those of a whole operand. */
static inline int64_t mixed_strip(int64_t k) { return mixed_ceil_div(k, CK_MIXED_DEPTH) * MIXED_TILE; }
static inline int64_t mixed_operand(int64_t count, int64_t k) {
    return mixed_ceil_div(count, CK_MIXED_LINES) * mixed_strip(k);
}

/* A unit's block of C, and the tiles of its first row and column. */
typedef struct {
    const uint32_t *a, *b;
    int64_t rows, columns; /* that are in C */
    int64_t column;        /* the first */
    float *c;
} mixed_block;

static inline mixed_block mixed_block_at(const ck_mixed_params *p, void *const *operands, size_t unit) {
    const int64_t row_blocks = mixed_ceil_div(p->m, MIXED_ROWS), column_blocks = mixed_ceil_div(p->n, MIXED_COLUMNS);
    const int64_t u = (int64_t)unit, row = u % row_blocks * MIXED_ROWS, column = u / row_blocks % column_blocks * MIXED_COLUMNS;
    const int64_t entry = u / row_blocks / column_blocks, strip = mixed_strip(p->k);
    const int64_t a_entry = p->a_shared ? 0 : entry, b_entry = p->b_shared ? 0 : entry;
    mixed_block block;
    block.a = (const uint32_t *)operands[0] + a_entry * mixed_operand(p->m, p->k) + row / CK_MIXED_LINES * strip;
    block.b = (const uint32_t *)operands[1] + b_entry * mixed_operand(p->n, p->k) + column / CK_MIXED_LINES * strip;
    block.rows = mixed_min(MIXED_ROWS, p->m - row);
    block.columns = mixed_min(MIXED_COLUMNS, p->n - column);
    block.column = column;
    block.c = (float *)operands[p->has_bias ? 3 : 2] + entry * p->c_batch_stride + row * p->c_row_stride + column;
    return block;
}

/* What the sums of up to 16 columns from `column` on begin at. */
static inline void mixed_begin(const ck_mixed_params *p, void *const *operands, int64_t column, float start[CK_MIXED_LINES]) {
    const int64_t columns = mixed_min(CK_MIXED_LINES, p->n - column);
    const float *bias = p->has_bias ? (const float *)operands[2] + column : 0;
    for (int64_t j = 0; j < CK_MIXED_LINES; j++) start[j] = bias && j < columns ? bias[j] : 0;
}
#endif
