/* Movement of elements: strided copy, fill, pad, gather, scatter-add, one-hot. Elements are 1, 2, 4 or
 * 8 bytes; a chooser takes any dtype of that size and returns NULL for the 4-bit ones. Sizes, strides and
 * offsets count elements and are int64. An index type is CK_I32 or CK_I64; index −1 is the last. */
#ifndef CK_MOVEMENT_H
#define CK_MOVEMENT_H

#include "ck.h"

#ifdef __cplusplus
extern "C" {
#endif

/* destination[destination_offset + Σ i_d·destination_stride_d] = source[source_offset + Σ i_d·source_stride_d]
 * operands: source, destination (not overlapping).
 *
 * Source strides may be negative (flip) or 0 (broadcast, expand, tile); destination strides may be
 * negative, and no element may be written twice. This covers transpose, slice, split, one piece of a
 * concatenation, and the interior of a pad.
 *
 * A unit is a tile of the last two dimensions, 16 × 4096. The order of dimensions does not matter to
 * the result, and decides the speed: see ck_copy_simplify. */
typedef struct {
    int32_t rank; /* 0 ... CK_MAX_RANK */
    int32_t reserved;
    int64_t source_offset, destination_offset;
    int64_t size[CK_MAX_RANK];
    int64_t source_stride[CK_MAX_RANK], destination_stride[CK_MAX_RANK];
} ck_copy_params;

/* Drops sizes of 1, sorts so that the destination is written in order, merges neighbours, and puts the
 * dimension along which the source is contiguous next to last. The copy stays the same. */
void ck_copy_simplify(ck_copy_params *params);

size_t ck_copy_units(const ck_copy_params *params);
ck_task ck_copy(ck_dtype dtype, ck_isa isa);

/* destination += source over the same params and units: f32, f64, i32, i64 (wrapping). */
ck_task ck_accumulate(ck_dtype dtype, ck_isa isa);

/* destination[i] = value. operands: destination. A unit is 4096 elements. */
typedef struct {
    int64_t count;
    uint8_t value[8]; /* the element's bytes, first in memory first */
} ck_fill_params;

size_t ck_fill_units(const ck_fill_params *params);
ck_task ck_fill(ck_dtype dtype, ck_isa isa);

typedef enum {
    CK_PAD_CONSTANT = 0, /* the value */
    CK_PAD_REFLECT = 1,  /* d c b | a b c d | c b a; any width, by repeated reflection */
    CK_PAD_EDGE = 2      /* a a a | a b c d | d d d */
} ck_pad_mode;

/* operands: source [size], destination [before + size + after], both contiguous. A negative before or
 * after crops. Reflect and edge need every size ≥ 1.
 *
 * A unit is one row of the destination: the last axis that is padded, with all axes inside it. */
typedef struct {
    int32_t rank; /* 1 ... CK_MAX_RANK */
    int32_t mode; /* ck_pad_mode */
    int64_t size[CK_MAX_RANK], before[CK_MAX_RANK], after[CK_MAX_RANK];
    uint8_t value[8];
} ck_pad_params;

size_t ck_pad_units(const ck_pad_params *params);
ck_task ck_pad(ck_dtype dtype, ck_isa isa);

/* y[o, k, i] = table[o, indices[k], i]; an index outside −axis ..< axis yields zeros.
 * operands: table [outer, axis, inner], indices [count], y [outer, count, inner].
 *
 * A unit is one slice y[o, k]. */
typedef struct {
    int64_t outer, axis, inner, count;
    int32_t index_dtype;
    int32_t accumulate; /* scatter-add only: 1 adds to the table, 0 overwrites it */
} ck_gather_params;

size_t ck_gather_units(const ck_gather_params *params);
ck_task ck_gather(ck_dtype dtype, ck_isa isa);

/* The gradient of gather: table[o, indices[k], i] (+)= Σ_k y[o, k, i], added in the order of k; an index
 * out of range is ignored. operands: y [outer, count, inner], indices [count], table [outer, axis, inner].
 * f32, f64, i32, i64 (wrapping).
 *
 * A unit is table[o, all, 64 consecutive i]. */
size_t ck_scatter_add_units(const ck_gather_params *params);
ck_task ck_scatter_add(ck_dtype dtype, ck_isa isa);

/* y[o, d, i] = d = indices[o, i] ? on : off; all off for an index outside −depth ..< depth.
 * operands: indices [outer, inner], y [outer, depth, inner]. `dtype` is that of y.
 *
 * A unit is one o. */
typedef struct {
    int64_t outer, depth, inner;
    int32_t index_dtype;
    int32_t reserved;
    uint8_t on[8], off[8]; /* the element's bytes */
} ck_one_hot_params;

size_t ck_one_hot_units(const ck_one_hot_params *params);
ck_task ck_one_hot(ck_dtype dtype, ck_isa isa);

#ifdef __cplusplus
}
#endif
#endif
