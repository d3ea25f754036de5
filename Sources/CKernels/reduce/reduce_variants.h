/* What the files of this folder share; nobody else includes it. */
#ifndef CK_REDUCE_VARIANTS_H
#define CK_REDUCE_VARIANTS_H
#include "../include/ck_reduce.h"

#pragma STDC FP_CONTRACT OFF

#define CK_REDUCE_OPS 6
extern const ck_task ck_reduce_reference_f32[CK_REDUCE_OPS], ck_reduce_reference_f64[CK_REDUCE_OPS],
    ck_reduce_reference_i32[CK_REDUCE_OPS], ck_reduce_reference_i64[CK_REDUCE_OPS];
extern const ck_task ck_arg_reference_f32[2], ck_arg_reference_f64[2], ck_arg_reference_i32[2], ck_arg_reference_i64[2];
#if defined(__x86_64__)
extern const ck_task ck_reduce_avx2[CK_REDUCE_OPS], ck_reduce_avx512[CK_REDUCE_OPS]; /* avx512: sums and means alone */
extern const ck_task ck_arg_avx2[2];
#endif

static inline size_t ck_grid_count(int32_t rank, const int64_t *size) {
    size_t count = 1;
    for (int32_t d = 0; d < rank; d++) count *= (size_t)size[d];
    return count;
}

/* The offset of point `index` of a grid counted in row-major order. */
static inline int64_t ck_grid_offset(int32_t rank, const int64_t *size, const int64_t *stride, size_t index) {
    int64_t offset = 0;
    for (int32_t d = rank - 1; d > 0; d--) {
        offset += (int64_t)(index % (size_t)size[d]) * stride[d];
        index /= (size_t)size[d];
    }
    return rank > 0 ? offset + (int64_t)index * stride[0] : 0;
}

static inline int ck_reduce_is_rows(const ck_reduce_params *p) {
    return p->reduced_rank > 0 && p->reduced_stride[p->reduced_rank - 1] == 1;
}
static inline int ck_reduce_is_columns(const ck_reduce_params *p) {
    return !ck_reduce_is_rows(p) && p->kept_rank > 0 && p->kept_stride[p->kept_rank - 1] == 1;
}
/* Outputs a unit. */
static inline size_t ck_reduce_block(const ck_reduce_params *p) { return ck_reduce_is_columns(p) ? 16 : 1; }

/* The reduced axes as a loop over `outer` points of all axes but the last, and a run along the last. */
typedef struct {
    size_t outer, run;
    int64_t step;
} ck_reduced_loop;

static inline ck_reduced_loop ck_reduce_loop(const ck_reduce_params *p) {
    int32_t last = p->reduced_rank - 1;
    if (last < 0) return (ck_reduced_loop){1, 1, 1};
    return (ck_reduced_loop){ck_grid_count(last, p->reduced_size), (size_t)p->reduced_size[last], p->reduced_stride[last]};
}
static inline int64_t ck_reduce_outer_offset(const ck_reduce_params *p, size_t outer) {
    return ck_grid_offset(p->reduced_rank - 1, p->reduced_size, p->reduced_stride, outer);
}

static inline void ck_arg_store(const ck_arg_params *p, void *y, size_t at, int64_t index) {
    if (p->index_dtype == CK_I64) ((int64_t *)y)[at] = index;
    else ((int32_t *)y)[at] = (int32_t)index;
}
#endif
