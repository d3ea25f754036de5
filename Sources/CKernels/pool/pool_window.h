/* Which taps of a window lie inside X, and which windows reach an element of X. */
#ifndef CK_POOL_WINDOW_H
#define CK_POOL_WINDOW_H

#include "ck_pool.h"

#define POOL_BLOCK 64 /* channels in a unit of the max gradient */

#define POOL_INLINE static inline __attribute__((unused))

typedef struct {
    int32_t in, out, kernel, stride, dilation, pad;
} pool_axis;

/* `count` taps; the first reads coordinate `at`, each next one `move` further. */
typedef struct {
    int32_t count, at, move;
} pool_taps;

POOL_INLINE pool_axis pool_axis_y(const ck_pool_params *p) {
    return (pool_axis){p->in_h, p->out_h, p->kernel_h, p->stride_h, p->dilation_h, p->pad_top};
}
POOL_INLINE pool_axis pool_axis_x(const ck_pool_params *p) {
    return (pool_axis){p->in_w, p->out_w, p->kernel_w, p->stride_w, p->dilation_w, p->pad_left};
}

/* The taps of output o that lie inside X. */
POOL_INLINE pool_taps pool_taps_of(const pool_axis *a, int32_t o) {
    int32_t start = o * a->stride - a->pad, begin = 0, end = a->kernel;
    if (start < 0) begin = (-start + a->dilation - 1) / a->dilation;
    if (start + (a->kernel - 1) * a->dilation >= a->in)
        end = start >= a->in ? 0 : (a->in - 1 - start) / a->dilation + 1;
    if (begin >= end) return (pool_taps){0, 0, 0};
    return (pool_taps){end - begin, start + begin * a->dilation, a->dilation};
}

/* The taps by which some output reads input i, and those outputs: (i + pad − k·dilation) / stride. */
POOL_INLINE pool_taps pool_taps_into(const pool_axis *a, int32_t i) {
    int32_t g = a->stride, b = a->dilation;
    while (b != 0) { int32_t r = g % b; g = b; b = r; }
    int32_t period = a->stride / g, first = 0, move = a->dilation / g, reach = i + a->pad;
    while (first < period && first < a->kernel && (reach - first * a->dilation) % a->stride != 0) first++;
    if (first == period || first >= a->kernel) return (pool_taps){0, 0, 0};
    int32_t end = a->kernel, at = (reach - first * a->dilation) / a->stride;
    while (first < end && at >= a->out) first += period, at -= move;
    if (first >= end || at < 0) return (pool_taps){0, 0, 0};
    int32_t count = (end - first + period - 1) / period, left = at / move + 1;
    return (pool_taps){count < left ? count : left, at, -move};
}

/* What the average of window (oy, ox) divides by. */
POOL_INLINE int32_t pool_divisor(const ck_pool_params *p, pool_taps y, pool_taps x) {
    int32_t inside = y.count * x.count;
    return p->count_padding ? p->kernel_h * p->kernel_w : inside > 0 ? inside : 1;
}
#endif
