/* The one geometry behind convolution and its input gradient: every result pixel gathers source pixels along
 * taps that lie on an affine grid. A convolution is one such grid; the input gradient is one per phase of the
 * stride, because pixels of dX with the same (y mod stride, x mod stride) meet the same taps. */
#ifndef CK_CONV_VIEW_H
#define CK_CONV_VIEW_H

#include "../gemm/unit_order.h"
#include "ck_conv.h"

#define CONV_TILE 12      /* pixels in a unit */
#define CONV_COLUMNS 32   /* channels in a unit: two panels */
#define DEPTHWISE_WIDENED 2048 /* floats on the stack for depthwise weights of two bytes, 16 channels at a time */
#define CONV_STRETCH 16   /* tiles that share one pass over a pair of panels, about */

#define CONV_INLINE static inline __attribute__((unused))

/* Result coordinate: first + step·i, 0 ≤ i < count. Tap t, 0 ≤ t < taps, is kernel index tap_first + tap_step·t
 * and reads source coordinate stride·i + base + move·t, which is padding outside 0 ..< size. */
typedef struct {
    int32_t count, first, step;
    int32_t taps, tap_first, tap_step;
    int32_t stride, base, move, size;
} conv_axis;

typedef struct {
    conv_axis y, x;
    size_t pixels; /* batch · y.count · x.count */
} conv_phase;

typedef struct {
    size_t batch, kernel_w, taps;             /* taps: kernel_h · kernel_w */
    size_t source_h, source_w, source_c;
    size_t result_h, result_w, result_c;
    size_t groups, depth, columns;            /* source and result channels in a group */
    int gradient, phases_y, phases_x;
} conv_view;

/* A run of tiles of one phase that share their columns. */
typedef struct {
    size_t pixel, pixels;          /* pixels of the phase, row-major over (image, y, x) */
    size_t group, column, columns; /* in the group; columns ≤ CONV_COLUMNS */
} conv_block;

CONV_INLINE size_t conv_min(size_t a, size_t b) { return a < b ? a : b; }
CONV_INLINE size_t conv_ceil(size_t n, size_t d) { return (n + d - 1) / d; }

CONV_INLINE conv_view conv_view_of(const ck_conv_params *p, int gradient) {
    conv_view v = {0};
    v.batch = (size_t)p->batch;
    v.kernel_w = (size_t)p->kernel_w;
    v.taps = (size_t)p->kernel_h * (size_t)p->kernel_w;
    v.groups = (size_t)p->groups;
    v.gradient = gradient;
    v.source_h = (size_t)(gradient ? p->out_h : p->in_h);
    v.source_w = (size_t)(gradient ? p->out_w : p->in_w);
    v.source_c = (size_t)(gradient ? p->out_c : p->in_c);
    v.result_h = (size_t)(gradient ? p->in_h : p->out_h);
    v.result_w = (size_t)(gradient ? p->in_w : p->out_w);
    v.result_c = (size_t)(gradient ? p->in_c : p->out_c);
    v.depth = v.source_c / v.groups;
    v.columns = v.result_c / v.groups;
    v.phases_y = gradient ? (p->stride_h < p->in_h ? p->stride_h : p->in_h) : 1;
    v.phases_x = gradient ? (p->stride_w < p->in_w ? p->stride_w : p->in_w) : 1;
    return v;
}

CONV_INLINE conv_axis conv_axis_forward(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation,
                                        int32_t pad) {
    return (conv_axis){.count = out, .first = 0, .step = 1, .taps = kernel, .tap_first = 0, .tap_step = 1,
                       .stride = stride, .base = -pad, .move = dilation, .size = in};
}

/* Input coordinate f + stride·i meets tap k where f + pad − k·dilation is a multiple of the stride. */
CONV_INLINE conv_axis conv_axis_gradient(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation,
                                         int32_t pad, int32_t f) {
    int32_t a = stride, b = dilation; /* the period of the taps: stride / gcd(stride, dilation) */
    while (b != 0) { int32_t r = a % b; a = b; b = r; }
    int32_t period = stride / a, first = 0;
    int64_t at = (int64_t)f + pad;
    while (first < period && first < kernel && (at - (int64_t)first * dilation) % stride != 0) first++;
    int found = first < period && first < kernel;
    return (conv_axis){
        .count = (in - f + stride - 1) / stride, .first = f, .step = stride,
        .taps = found ? (kernel - first + period - 1) / period : 0, .tap_first = first, .tap_step = period,
        .stride = 1, .base = found ? (int32_t)((at - (int64_t)first * dilation) / stride) : 0,
        .move = -(dilation / a), .size = out};
}

__attribute__((unused, noinline, minsize))
static conv_phase conv_phase_at(const conv_view *v, const ck_conv_params *p, int fy, int fx) {
    conv_phase phase;
    if (v->gradient) {
        phase.y = conv_axis_gradient(p->in_h, p->out_h, p->kernel_h, p->stride_h, p->dilation_h, p->pad_top, fy);
        phase.x = conv_axis_gradient(p->in_w, p->out_w, p->kernel_w, p->stride_w, p->dilation_w, p->pad_left, fx);
    } else {
        phase.y = conv_axis_forward(p->in_h, p->out_h, p->kernel_h, p->stride_h, p->dilation_h, p->pad_top);
        phase.x = conv_axis_forward(p->in_w, p->out_w, p->kernel_w, p->stride_w, p->dilation_w, p->pad_left);
    }
    phase.pixels = v->batch * (size_t)phase.y.count * (size_t)phase.x.count;
    return phase;
}

/* Units: phase by phase, tiles × chunks of `width` columns that do not cross groups. */
CONV_INLINE size_t conv_chunks(const conv_view *v, size_t width) {
    return v->groups * conv_ceil(v->columns, width);
}

/* Depthwise units are ordered (phase, line, channels). */
CONV_INLINE size_t depthwise_units(const conv_view *v, const conv_phase *phase) {
    return v->batch * (size_t)phase->y.count * conv_ceil(v->result_c, CONV_COLUMNS);
}

CONV_INLINE size_t conv_count_units(const ck_conv_params *p, int gradient, int depthwise) {
    conv_view v = conv_view_of(p, gradient);
    size_t units = 0;
    for (int fy = 0; fy < v.phases_y; fy++)
        for (int fx = 0; fx < v.phases_x; fx++) {
            conv_phase phase = conv_phase_at(&v, p, fy, fx);
            units += depthwise ? depthwise_units(&v, &phase)
                               : conv_ceil(phase.pixels, CONV_TILE) * conv_chunks(&v, CONV_COLUMNS);
        }
    return units;
}

/* The block that starts at `unit` of a phase with `units` left in the range; returns the units it covers. */
__attribute__((unused, noinline, minsize))
static size_t conv_block_at(const conv_view *v, const conv_phase *phase, size_t unit, size_t units, conv_block *block) {
    const size_t tiles = conv_ceil(phase->pixels, CONV_TILE), in_group = conv_ceil(v->columns, CONV_COLUMNS);
    const size_t source = v->batch * v->source_h * v->source_w * v->source_c, weights = v->taps * v->depth * v->result_c;
    size_t stretches = conv_ceil(tiles, CONV_STRETCH); /* an even number where weights are less than pixels */
    if (stretches > 1 && weights <= source + phase->pixels * v->result_c) stretches += stretches % 2;
    const ck_cell cell = ck_cell_at(unit, tiles, v->groups * in_group, stretches);
    const size_t covered = conv_min(units, cell.left), chunk = cell.column;
    block->pixel = cell.row * CONV_TILE;
    block->pixels = conv_min(covered * CONV_TILE, phase->pixels - block->pixel);
    block->group = chunk / in_group;
    block->column = chunk % in_group * CONV_COLUMNS;
    block->columns = conv_min(CONV_COLUMNS, v->columns - block->column);
    return covered;
}
#endif
