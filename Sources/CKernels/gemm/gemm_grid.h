/* How C is cut into units: a grid of row blocks × column blocks for each batch entry.
 *
 * Rows are cut at multiples of m/ceil(m/12) rounded down, so that the tiles of 12 rows (6 on AVX2) a
 * block is made of are nearly equal in height; columns at whole panels. Row blocks lie in bands, and units go band after
 * band, in each column after column: what a thread begins with are rows, of which the steps before and after, whose
 * units are rows, gave it and want from it the same; and a band of A and C stays in the second-level cache. */
#ifndef CK_GEMM_GRID_H
#define CK_GEMM_GRID_H

#include "../include/ck_gemm.h"

#define GEMM_ROWS 12      /* of the tallest register tile */
#define GEMM_BLOCK_ROWS 8 /* tiles in a block of C at most: 96 rows … */
#define GEMM_BLOCK_COLUMNS 128
#define GEMM_BAND_ROWS 240

typedef struct {
    int64_t tiles, row_blocks;      /* tiles of at most 12 rows */
    int64_t groups, column_blocks;  /* groups of `group` panels */
    int64_t group;
} gemm_grid;

typedef struct {
    int64_t batch, row, row_end, panel, panel_end;
    int64_t band_end; /* the next unit has the rows from row_end on, while they are below this */
} gemm_block;

static inline int64_t gemm_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t gemm_min(int64_t a, int64_t b) { return a < b ? a : b; }

static inline int64_t gemm_panel_rows(const ck_gemm_params *p) { return p->b_rows ? p->b_rows : p->k; }

/* Where entry i of a batch begins on the plain side of packing. */
static inline int64_t gemm_plain_entry(const ck_panels_params *p, int64_t i) {
    return p->group ? i / p->group * p->batch_stride + i % p->group * p->group_stride : i * p->batch_stride;
}

static inline gemm_grid gemm_grid_of(const ck_gemm_params *p) {
    gemm_grid g = {1, 1, 1, 1, 1};
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
    return g;
}

/* Row block i begins here. */
static inline int64_t gemm_first_row(const ck_gemm_params *p, const gemm_grid *g, int64_t i) {
    return i * g->tiles / g->row_blocks * p->m / g->tiles;
}

static inline gemm_block gemm_block_at(const ck_gemm_params *p, const gemm_grid *g, size_t unit) {
    const int64_t panels = gemm_ceil_div(p->n, CK_PANEL), units = g->row_blocks * g->column_blocks;
    if (units == 1) return (gemm_block){(int64_t)unit, 0, p->m, 0, panels, p->m};
    const int64_t bands = gemm_min(g->row_blocks, gemm_ceil_div(p->m, GEMM_BAND_ROWS));
    int64_t u = (int64_t)unit % units;
    const int64_t band = ((u / g->column_blocks + 1) * bands - 1) / g->row_blocks;
    const int64_t first = band * g->row_blocks / bands, count = (band + 1) * g->row_blocks / bands - first;
    u -= first * g->column_blocks;
    const int64_t row = first + u % count, column = u / count;
    return (gemm_block){
        .batch = (int64_t)unit / units, .row = gemm_first_row(p, g, row), .row_end = gemm_first_row(p, g, row + 1),
        .panel = column * g->groups / g->column_blocks * g->group,
        .panel_end = gemm_min((column + 1) * g->groups / g->column_blocks * g->group, panels),
        .band_end = gemm_first_row(p, g, first + count)};
}
#endif
