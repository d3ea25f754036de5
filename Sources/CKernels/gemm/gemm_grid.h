/* How C is cut into units: a grid of row blocks × column blocks for each batch entry.
 *
 * Rows are cut at multiples of m/ceil(m/12) rounded down, so that the tiles of 12 rows (6 on AVX2) a
 * block is made of are nearly equal in height; columns at whole panels. Where B is the smaller part threads part the rows
 * (unit_order.h), which the steps before and after, whose units are rows, give them and want from them. */
#ifndef CK_GEMM_GRID_H
#define CK_GEMM_GRID_H

#include "../include/ck_gemm.h"

#define GEMM_ROWS 12      /* of the tallest register tile */
#define GEMM_BLOCK_ROWS 8 /* tiles in a block of C at most: 96 rows … */
#define GEMM_BLOCK_COLUMNS 64 /* … by so many columns, or more where */
#define GEMM_BLOCK_WEIGHTS (1 << 15) /* elements of B are not more than so many: rows of C that follow each other are fetched ahead */
#define GEMM_STRETCH 240 /* rows: with so many A's part and C's still fit the second-level cache */

typedef struct {
    int64_t tiles, row_blocks;      /* tiles of at most 12 rows */
    int64_t groups, column_blocks;  /* groups of `group` panels */
    int64_t group;
    int64_t stretches;              /* of row blocks */
} gemm_grid;

typedef struct {
    int64_t batch, row, row_end, panel, panel_end;
    size_t left; /* blocks of the same columns from this one on */
} gemm_block;

static inline int64_t gemm_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
/* By a shift, also where code is made small: divisions would be much of a small product. */
static inline int64_t gemm_panels(int64_t n) { return (int64_t)((uint64_t)(n + CK_PANEL - 1) / CK_PANEL); }
static inline int64_t gemm_min(int64_t a, int64_t b) { return a < b ? a : b; }

static inline int64_t gemm_panel_rows(const ck_gemm_params *p) { return p->b_rows ? p->b_rows : p->k; }

/* Where entry i of a batch begins on the plain side of packing. */
static inline int64_t gemm_plain_entry(const ck_panels_params *p, int64_t i) {
    return p->group ? i / p->group * p->batch_stride + i % p->group * p->group_stride : i * p->batch_stride;
}

gemm_grid gemm_grid_of(const ck_gemm_params *p);
gemm_block gemm_block_at(const ck_gemm_params *p, const gemm_grid *g, size_t unit);
#endif
