/* How C is cut into units: a grid of row blocks × column blocks for each batch entry.
 *
 * Rows are cut at multiples of m/ceil(m/12) rounded down, so that the tiles of 12 rows (6 on AVX2) a
 * block is made of are nearly equal in height; columns at whole panels. Where B is the smaller part threads part the rows
 * (unit_order.h), which the steps before and after, whose units are rows, give them and want from them. */
#ifndef CK_GEMM_GRID_H
#define CK_GEMM_GRID_H

#include "../include/ck_gemm.h"
#include "unit_order.h"

#define GEMM_ROWS 12      /* of the tallest register tile */
#define GEMM_BLOCK_ROWS 8 /* tiles in a block of C at most: 96 rows … */
#define GEMM_BLOCK_COLUMNS 128
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
static inline int64_t gemm_min(int64_t a, int64_t b) { return a < b ? a : b; }

static inline int64_t gemm_panel_rows(const ck_gemm_params *p) { return p->b_rows ? p->b_rows : p->k; }

/* Where entry i of a batch begins on the plain side of packing. */
static inline int64_t gemm_plain_entry(const ck_panels_params *p, int64_t i) {
    return p->group ? i / p->group * p->batch_stride + i % p->group * p->group_stride : i * p->batch_stride;
}

static inline gemm_grid gemm_grid_of(const ck_gemm_params *p) {
    gemm_grid g = {1, 1, 1, 1, 1, 1};
    int64_t panels = gemm_ceil_div(p->n, CK_PANEL);
    /* Work in multiply-adds; to fetch a weight costs about as much as eight of them. */
    const double smallest = 1 << 18;
    double per_cell = (double)(p->k + 8) * CK_PANEL;
    double work = per_cell * (double)(p->m + 8) * (double)panels;
    if (work <= smallest) {
        g.group = panels;
        g.tiles = gemm_ceil_div(p->m, GEMM_ROWS);
        return g;
    }
    double wanted = work / 64 > smallest ? work / 64 : smallest;
    g.group = p->m > GEMM_ROWS / 2 ? 2 : 4;
    g.tiles = gemm_ceil_div(p->m, GEMM_ROWS);
    g.groups = gemm_ceil_div(panels, g.group);
    int64_t height = 1, width = 1;
    double tile = per_cell * (double)(gemm_min(p->m, GEMM_ROWS) + 8) * (double)g.group;
    int64_t widest = gemm_min(g.groups, GEMM_BLOCK_COLUMNS / CK_PANEL / g.group);
    while (width < widest && tile * (double)width < wanted) width++;
    int64_t highest = gemm_min(g.tiles, GEMM_BLOCK_ROWS);
    while (height < highest && tile * (double)(width * height) < wanted) height++;
    g.row_blocks = gemm_ceil_div(g.tiles, height);
    g.column_blocks = gemm_ceil_div(g.groups, width);
    if (p->batch == 1 && (double)p->k * (double)p->n <= (double)p->m * (double)(p->k + p->n))
        g.stretches = gemm_min(g.row_blocks, 2 * gemm_ceil_div(p->m, 2 * GEMM_STRETCH));
    return g;
}

/* Row block i begins here. */
static inline int64_t gemm_first_row(const ck_gemm_params *p, const gemm_grid *g, int64_t i) {
    return i * g->tiles / g->row_blocks * p->m / g->tiles;
}

__attribute__((unused, noinline, minsize))
static gemm_block gemm_block_at(const ck_gemm_params *p, const gemm_grid *g, size_t unit) {
    const int64_t panels = gemm_ceil_div(p->n, CK_PANEL);
    const size_t cells = (size_t)(g->row_blocks * g->column_blocks);
    if (cells == 1) return (gemm_block){(int64_t)unit, 0, p->m, 0, panels, 1};
    const ck_cell cell = ck_cell_at(unit % cells, (size_t)g->row_blocks, (size_t)g->column_blocks, (size_t)g->stretches);
    const int64_t row = (int64_t)cell.row, column = (int64_t)cell.column;
    return (gemm_block){
        .batch = (int64_t)(unit / cells), .row = gemm_first_row(p, g, row), .row_end = gemm_first_row(p, g, row + 1),
        .panel = column * g->groups / g->column_blocks * g->group,
        .panel_end = gemm_min((column + 1) * g->groups / g->column_blocks * g->group, panels),
        .left = cell.left};
}
#endif
