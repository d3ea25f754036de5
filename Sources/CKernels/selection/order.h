/* Elements as whole numbers in the same order, and heaps of them. */
#ifndef CK_SELECTION_ORDER_H
#define CK_SELECTION_ORDER_H

#include <string.h>

#include "ck.h"

/* A row of elements `stride` apart, and which of two comes first. */
typedef struct {
    const char *base;
    int64_t stride; /* in elements */
    ck_dtype dtype;
    int32_t smallest;
} ck_row;

/* −0 is 0; NaN is beyond everything. */
static inline int64_t ordered_f32(float x) {
    int32_t bits;
    if (x != x) return INT64_MAX;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? -(int64_t)(bits & INT32_MAX) : bits;
}

static inline int64_t ordered_f64(double x) {
    int64_t bits;
    if (x != x) return INT64_MAX;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? -(bits & INT64_MAX) : bits;
}

static inline int64_t ordered(const char *base, ck_dtype dtype, int64_t i) {
    switch ((int)dtype) {
    case CK_F32: return ordered_f32(((const float *)base)[i]);
    case CK_F64: return ordered_f64(((const double *)base)[i]);
    case CK_I8: return ((const int8_t *)base)[i];
    case CK_U8: case CK_BOOL: return ((const uint8_t *)base)[i];
    case CK_I16: return ((const int16_t *)base)[i];
    case CK_U16: return ((const uint16_t *)base)[i];
    case CK_I32: return ((const int32_t *)base)[i];
    default: return ((const int64_t *)base)[i];
    }
}

static inline int comes_first(const ck_row *row, int32_t a, int32_t b) {
    int64_t x = ordered(row->base, row->dtype, a * row->stride), y = ordered(row->base, row->dtype, b * row->stride);
    if (x == y) return a < b;
    return row->smallest ? x < y : x > y;
}

/* A heap has at its top the element that comes last. */
static inline void heap_sift(const ck_row *row, int32_t *heap, int64_t count, int64_t at) {
    int32_t moved = heap[at];
    for (;;) {
        int64_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && comes_first(row, heap[child], heap[child + 1])) child++;
        if (!comes_first(row, moved, heap[child])) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

static inline void heap_make(const ck_row *row, int32_t *heap, int64_t count) {
    for (int64_t i = count / 2; i-- > 0;) heap_sift(row, heap, count, i);
}

/* Turns a heap into the order of its elements. */
static inline void heap_sort(const ck_row *row, int32_t *heap, int64_t count) {
    for (int64_t last = count - 1; last > 0; last--) {
        int32_t top = heap[0];
        heap[0] = heap[last];
        heap[last] = top;
        heap_sift(row, heap, last, 0);
    }
}

#endif
