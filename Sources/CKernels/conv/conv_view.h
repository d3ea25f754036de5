/* The one geometry behind convolution and its input gradient: every result pixel gathers source pixels along
 * taps that lie on an affine grid. A convolution is one such grid; the input gradient is one per phase of the
 * stride, because pixels of dX with the same (y mod stride, x mod stride) meet the same taps. */
#ifndef CK_CONV_VIEW_H
#define CK_CONV_VIEW_H

#include "ck_conv.h"

#include "../gemm/unit_order.h"

#define CONV_TILE 12      /* pixels in a unit */
#define CONV_COLUMNS 32   /* channels in a unit: two panels */
#define DEPTHWISE_TAPS 256   /* of a depthwise kernel in vectors, */
#define DEPTHWISE_PIXELS 512 /* and pixels that one pixel's taps lie in: both on the stack, CONV_COLUMNS channels each */
#define CONV_STRETCH 16   /* tiles that share one pass over a pair of panels, about */
#define DEPTHWISE_STRETCH (96 * 1024) /* elements of the result that are gone through by chunks of channels, at most */

#define CONV_ZEROS 256 /* floats of padding to read */
extern const float conv_zeros[CONV_ZEROS];

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
    int gradient, fused, phases_y, phases_x;
} conv_view;

/* A run of tiles of one phase that share their columns. */
typedef struct {
    size_t pixel, pixels;          /* pixels of the phase, row-major over (image, y, x) */
    size_t group, column, columns; /* in the group; columns ≤ CONV_COLUMNS */
} conv_block;

CONV_INLINE size_t conv_min(size_t a, size_t b) { return a < b ? a : b; }
CONV_INLINE size_t conv_ceil(size_t n, size_t d) { return (n + d - 1) / d; }

conv_view conv_view_of(const ck_conv_params *p, int gradient);
conv_phase conv_phase_at(const conv_view *v, const ck_conv_params *p, int fy, int fx);
/* The block that starts at `unit` of a phase with `units` left in the range; returns the units it covers. */
size_t conv_block_at(const conv_view *v, const conv_phase *phase, size_t unit, size_t units, conv_block *block);

/* Units: phase by phase, tiles × chunks of `width` columns that do not cross groups. */
CONV_INLINE size_t conv_chunks(const conv_view *v, size_t width) {
    return v->groups * conv_ceil(v->columns, width);
}

/* The line and the chunk of channels of a depthwise unit of one phase. In each half of the lines, or shorter
 * stretch, come chunk by chunk all lines, whose copies serve one after another. An odd number of lines of
 * the source has no halves. Where a line costs more than its copy, as of a fused convolution, a stretch is an image, or half of one
 * where two threads would else read all of it. */
ck_cell depthwise_cell_at(const conv_view *v, const conv_phase *phase, size_t unit);
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

#endif
