/* Which taps of a window lie inside X, and which windows reach an element of X. */
#ifndef CK_POOL_WINDOW_H
#define CK_POOL_WINDOW_H

#include "ck_pool.h"

#define POOL_BLOCK 64 /* channels in a unit of the max gradient */

#define POOL_INLINE static inline __attribute__((unused))

/* With g = gcd(stride, dilation): every stride / g-th tap reaches the same element, from an output
 * dilation / g further back. */
typedef struct {
    int32_t in, out, kernel, stride, dilation, pad, period, back;
} pool_axis;

/* `count` taps; the first reads coordinate `at`, each next one `move` further. `tap`: the number of the first in its window. */
typedef struct {
    int32_t count, at, move, tap;
} pool_taps;

POOL_INLINE pool_axis pool_axis_of(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation,
                                   int32_t pad) {
    int32_t g = stride, b = dilation;
    while (b != 0) {
        int32_t rest = g % b;
        g = b;
        b = rest;
    }
    return (pool_axis){in, out, kernel, stride, dilation, pad, stride / g, dilation / g};
}
POOL_INLINE pool_axis pool_axis_y(const ck_pool_params *p) {
    return pool_axis_of(p->in_h, p->out_h, p->kernel_h, p->stride_h, p->dilation_h, p->pad_top);
}
POOL_INLINE pool_axis pool_axis_x(const ck_pool_params *p) {
    return pool_axis_of(p->in_w, p->out_w, p->kernel_w, p->stride_w, p->dilation_w, p->pad_left);
}

/* The taps of output o that lie inside X. */
POOL_INLINE pool_taps pool_taps_of(const pool_axis *a, int32_t o) {
    int32_t start = o * a->stride - a->pad, begin = 0, end = a->kernel;
    if (start < 0) begin = (-start + a->dilation - 1) / a->dilation;
    if (start + (a->kernel - 1) * a->dilation >= a->in)
        end = start >= a->in ? 0 : (a->in - 1 - start) / a->dilation + 1;
    if (begin >= end) return (pool_taps){0};
    return (pool_taps){end - begin, start + begin * a->dilation, a->dilation, begin};
}

/* How many outputs from o on have the taps of o, each `stride` further: one, or as many as have all taps inside X. */
POOL_INLINE int32_t pool_run(const pool_axis *a, pool_taps of, int32_t o) {
    if (of.count < a->kernel) return 1;
    const int32_t last = (a->in - 1 - (a->kernel - 1) * a->dilation + a->pad) / a->stride;
    return (last < a->out ? last + 1 : a->out) - o;
}

/* The taps by which some output reads input i, and those outputs: (i + pad − k·dilation) / stride. */
POOL_INLINE pool_taps pool_taps_into(const pool_axis *a, int32_t i) {
    int32_t first = 0, reach = i + a->pad;
    while (first < a->period && first < a->kernel && (reach - first * a->dilation) % a->stride != 0) first++;
    if (first == a->period || first >= a->kernel) return (pool_taps){0};
    int32_t at = (reach - first * a->dilation) / a->stride;
    while (first < a->kernel && at >= a->out) first += a->period, at -= a->back;
    if (first >= a->kernel || at < 0) return (pool_taps){0};
    int32_t count = (a->kernel - first + a->period - 1) / a->period, left = at / a->back + 1;
    return (pool_taps){count < left ? count : left, at, -a->back, first};
}

/* No two windows meet. */
POOL_INLINE int pool_is_disjoint(const pool_axis *a) { return (int64_t)(a->kernel - 1) * a->dilation < a->stride; }

/* What the average of window (oy, ox) divides by. */
POOL_INLINE int32_t pool_divisor(const ck_pool_params *p, pool_taps y, pool_taps x) {
    int32_t inside = y.count * x.count;
    return p->count_padding ? p->kernel_h * p->kernel_w : inside > 0 ? inside : 1;
}
#endif
