/* Reductions of a tensor over a set of axes, and the index of the largest or smallest element. */
#ifndef CK_REDUCE_H
#define CK_REDUCE_H

#include "ck.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    CK_REDUCE_SUM = 0,         /* Σ x */
    CK_REDUCE_MEAN = 1,        /* Σ x / count; NaN over nothing */
    CK_REDUCE_MAX = 2,         /* NaN if any element is; −∞ (lowest integer) over nothing */
    CK_REDUCE_MIN = 3,         /* NaN if any element is; +∞ (highest integer) over nothing */
    CK_REDUCE_SUM_SQUARES = 4, /* Σ x² */
    CK_REDUCE_PROD = 5         /* Π x */
} ck_reduce_op;

#define CK_REDUCE_RANK 4

/* operands: x, y. y is contiguous over the kept axes in their order, outermost first. Strides are in
 * elements. Fast where the last reduced stride is 1 (rows) or the last kept stride is 1 (columns).
 *
 * A unit is a block of 16 consecutive outputs for columns, one output otherwise. */
typedef struct {
    int32_t kept_rank, reduced_rank; /* 0 ... CK_REDUCE_RANK */
    int64_t kept_size[CK_REDUCE_RANK], kept_stride[CK_REDUCE_RANK];
    int64_t reduced_size[CK_REDUCE_RANK], reduced_stride[CK_REDUCE_RANK];
} ck_reduce_params;

/* The params that reduce a contiguous tensor of rank ≤ CK_MAX_RANK over the axes whose bit is set in
 * `axes` (bit 0 is the outermost axis). Sizes of 1 are dropped and neighbours merged. */
ck_reduce_params ck_reduce_over(int32_t rank, const int64_t *sizes, uint32_t axes);

size_t ck_reduce_units(const ck_reduce_params *params);

/* f32 (reference, AVX2, AVX-512), f64 (reference); CK_I32 and CK_I64 for sum, max, min and prod, where
 * sums and products wrap. */
ck_task ck_reduce(ck_reduce_op op, ck_dtype dtype, ck_isa isa);

typedef enum { CK_ARG_MAX = 0, CK_ARG_MIN = 1 } ck_arg_op;

/* y[o, i] = the first index k that attains max (min) over x[o, k, i]; a NaN wins over every number.
 * operands: x [outer, width, inner], y [outer, inner] of type `index_dtype`. width ≥ 1.
 *
 * A unit is one output. */
typedef struct {
    int64_t outer, width, inner;
    int32_t index_dtype; /* CK_I32 or CK_I64 */
} ck_arg_params;

size_t ck_arg_units(const ck_arg_params *params);

/* `dtype` is that of x: f32 (reference, AVX2, AVX-512), f64, i32, i64. */
ck_task ck_arg_reduce(ck_arg_op op, ck_dtype dtype, ck_isa isa);

#ifdef __cplusplus
}
#endif
#endif
