#include "movement_variants.h"

static int64_t magnitude(int64_t x) { return x < 0 ? -x : x; }

typedef struct {
    int64_t size, source, destination;
} axis;

static int precedes(axis a, axis b) { /* outer first */
    const int64_t da = magnitude(a.destination), db = magnitude(b.destination);
    return da != db ? da > db : magnitude(a.source) > magnitude(b.source);
}

void ck_copy_simplify(ck_copy_params *p) {
    axis axes[CK_MAX_RANK];
    int32_t rank = 0;
    for (int32_t d = 0; d < p->rank; d++) {
        if (p->size[d] == 1) continue;
        const axis a = {p->size[d], p->source_stride[d], p->destination_stride[d]};
        int32_t at = rank++;
        for (; at > 0 && precedes(a, axes[at - 1]); at--) axes[at] = axes[at - 1];
        axes[at] = a;
    }
    int32_t merged = 0;
    for (int32_t d = 0; d < rank; d++) {
        axis *outer = merged > 0 ? &axes[merged - 1] : NULL;
        const axis inner = axes[d];
        if (outer && outer->source == inner.source * inner.size && outer->destination == inner.destination * inner.size)
            *outer = (axis){outer->size * inner.size, inner.source, inner.destination};
        else axes[merged++] = inner;
    }
    rank = merged;
    if (rank > 2 && magnitude(axes[rank - 1].source) != 1) {
        int32_t k = rank - 2;
        while (k >= 0 && axes[k].source != 1) k--;
        for (; k >= 0 && k < rank - 2; k++) {
            const axis a = axes[k];
            axes[k] = axes[k + 1];
            axes[k + 1] = a;
        }
    }
    p->rank = rank;
    for (int32_t d = 0; d < CK_MAX_RANK; d++) {
        const axis a = d < rank ? axes[d] : (axis){0, 0, 0};
        p->size[d] = a.size, p->source_stride[d] = a.source, p->destination_stride[d] = a.destination;
    }
}

size_t ck_copy_units(const ck_copy_params *params) {
    size_t planes = 1;
    for (int32_t d = 0; d + 2 < params->rank; d++) planes *= (size_t)params->size[d];
    return planes * ck_ceil_divide(ck_copy_rows(params), ck_copy_band(params)) *
           ck_ceil_divide(ck_copy_columns(params), CK_TILE_COLUMNS);
}
size_t ck_fill_units(const ck_fill_params *params) { return ck_ceil_divide(params->count, CK_FILL_BLOCK); }
size_t ck_pad_units(const ck_pad_params *params) {
    const ck_pad_row row = ck_pad_rows(params);
    size_t rows = row.width * row.inner > 0;
    for (int32_t d = 0; d < row.axis; d++) rows *= (size_t)ck_pad_extent(params, d);
    return rows;
}
size_t ck_gather_units(const ck_gather_params *params) { return (size_t)(params->outer * params->count); }
size_t ck_scatter_add_units(const ck_gather_params *params) {
    return (size_t)params->outer * ck_ceil_divide(params->inner, CK_SCATTER_BLOCK);
}
size_t ck_one_hot_units(const ck_one_hot_params *params) { return (size_t)params->outer; }

static const ck_movement_tasks *tasks(ck_dtype dtype) {
    switch (dtype) {
    case CK_I8: case CK_U8: case CK_BOOL: return &ck_movement_1;
    case CK_I16: case CK_U16: case CK_F16: case CK_BF16: return &ck_movement_2;
    case CK_F32: case CK_I32: return &ck_movement_4;
    case CK_F64: case CK_I64: return &ck_movement_8;
    default: return NULL;
    }
}
static const ck_movement_sums *sums(ck_dtype dtype) {
    switch (dtype) {
    case CK_F32: return &ck_movement_f32;
    case CK_F64: return &ck_movement_f64;
    case CK_I32: return &ck_movement_i32;
    case CK_I64: return &ck_movement_i64;
    default: return NULL;
    }
}

/* One loop serves every ISA: these tasks wait for memory. */
#define CHOOSER(name, table, member)                    \
    ck_task name(ck_dtype dtype, ck_isa isa) {          \
        (void)isa;                                      \
        return table(dtype) ? table(dtype)->member : NULL; \
    }
CHOOSER(ck_copy, tasks, copy)
CHOOSER(ck_fill, tasks, fill)
CHOOSER(ck_pad, tasks, pad)
CHOOSER(ck_gather, tasks, gather)
CHOOSER(ck_one_hot, tasks, one_hot)
CHOOSER(ck_accumulate, sums, accumulate)
CHOOSER(ck_scatter_add, sums, scatter_add)
