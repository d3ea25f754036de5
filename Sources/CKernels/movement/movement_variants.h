/* What the files of this folder share; nobody else includes it. */
#ifndef CK_MOVEMENT_VARIANTS_H
#define CK_MOVEMENT_VARIANTS_H
#include "../include/ck_movement.h"
#include "index.h"
#include <string.h>

typedef struct {
    ck_task copy, fill, pad, gather, one_hot;
} ck_movement_tasks;
typedef struct {
    ck_task accumulate, scatter_add;
} ck_movement_sums;

extern const ck_movement_tasks ck_movement_1, ck_movement_2, ck_movement_4, ck_movement_8; /* by element size */
extern const ck_movement_sums ck_movement_f32, ck_movement_f64, ck_movement_i32, ck_movement_i64;

#define MOVEMENT_UNROLL _Pragma("clang loop unroll(full)")
#define CK_TILE_ROWS 16
#define CK_TILE_TALL 512 /* rows, where columns are fewer than CK_TILE_ROWS */
#define CK_TILE_COLUMNS 4096
#define CK_FILL_BLOCK 4096
#define CK_SCATTER_BLOCK 64

/* One unit of a copy: offsets of its first element, extent, and the strides along rows and columns. */
typedef struct {
    int64_t source, destination, rows, columns;
    int64_t source_row, source_column, destination_row, destination_column;
} ck_tile;

/* The last two dimensions as rows and columns; 1 where the rank is less. */
static inline int64_t ck_copy_rows(const ck_copy_params *p) { return p->rank > 1 ? p->size[p->rank - 2] : 1; }
static inline int64_t ck_copy_columns(const ck_copy_params *p) { return p->rank > 0 ? p->size[p->rank - 1] : 1; }
static inline size_t ck_ceil_divide(int64_t a, int64_t b) { return (size_t)((a + b - 1) / b); }

static inline int64_t ck_copy_band(const ck_copy_params *p) {
    return ck_copy_columns(p) < CK_TILE_ROWS ? CK_TILE_TALL : CK_TILE_ROWS;
}

static inline ck_tile ck_copy_tile(const ck_copy_params *p, size_t unit) {
    const int32_t rank = p->rank;
    const int64_t band = ck_copy_band(p);
    const size_t bands = ck_ceil_divide(ck_copy_rows(p), band);
    const size_t blocks = ck_ceil_divide(ck_copy_columns(p), CK_TILE_COLUMNS);
    const int64_t row = (int64_t)(unit / blocks % bands) * band;
    const int64_t column = (int64_t)(unit % blocks) * CK_TILE_COLUMNS;
    ck_tile t = {.source = p->source_offset, .destination = p->destination_offset,
                 .rows = ck_copy_rows(p) - row, .columns = ck_copy_columns(p) - column};
    if (t.rows > band) t.rows = band;
    if (t.columns > CK_TILE_COLUMNS) t.columns = CK_TILE_COLUMNS;
    if (rank > 1) t.source_row = p->source_stride[rank - 2], t.destination_row = p->destination_stride[rank - 2];
    if (rank > 0) t.source_column = p->source_stride[rank - 1], t.destination_column = p->destination_stride[rank - 1];
    t.source += row * t.source_row + column * t.source_column;
    t.destination += row * t.destination_row + column * t.destination_column;
    size_t plane = unit / (blocks * bands);
    for (int32_t d = rank - 3; d >= 0; d--) {
        const int64_t i = (int64_t)(plane % (size_t)p->size[d]);
        t.source += i * p->source_stride[d];
        t.destination += i * p->destination_stride[d];
        plane /= (size_t)p->size[d];
    }
    return t;
}

/* A padded tensor as rows: the axes before `axis`, the axis itself, and `inner` elements a step of it. */
typedef struct {
    int32_t axis;
    int64_t inner, width;
} ck_pad_row;

static inline int64_t ck_pad_extent(const ck_pad_params *p, int32_t d) { return p->before[d] + p->size[d] + p->after[d]; }

static inline ck_pad_row ck_pad_rows(const ck_pad_params *p) {
    ck_pad_row row = {p->rank - 1, 1, 0};
    while (row.axis > 0 && p->before[row.axis] == 0 && p->after[row.axis] == 0) row.inner *= p->size[row.axis--];
    row.width = ck_pad_extent(p, row.axis);
    return row;
}
#endif
