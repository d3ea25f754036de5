/* How the weight gradient is cut into units, the same for every instruction set.
 *
 * dW is `rows` = taps · depth by `columns` in each group. The row r of a convolution is (ky, kx, input channel); of a depthwise
 * convolution it is (ky, kx). The images are cut into slices, more of them the smaller the sums are; each has its own sums. */
#ifndef CK_CONV_GRADIENT_H
#define CK_CONV_GRADIENT_H

#include "winograd_gradient.h"

#define CONV_SLICES 16
#define CONV_SLICED (128 * 1024)     /* elements of all slices' sums together, where there are several */
#define WINOGRAD_GRADIENT_SLICED (640 * 1024) /* the same by Winograd's method */
#define CONV_JOINED 1024             /* elements in a unit that joins slices */

CONV_INLINE size_t conv_gradient_rows(const ck_conv_params *p, int depthwise) {
    return (size_t)p->kernel_h * (size_t)p->kernel_w * (depthwise ? 1 : (size_t)(p->in_c / p->groups));
}
CONV_INLINE size_t conv_gradient_columns(const ck_conv_params *p, int depthwise) {
    return (size_t)(depthwise ? p->out_c : p->out_c / p->groups);
}

/* Sums of a slice. */
CONV_INLINE size_t conv_gradient_elements(const ck_conv_params *p) {
    return p->winograd ? winograd_gradient_sums(p) : conv_gradient_rows(p, 0) * (size_t)p->out_c;
}
CONV_INLINE size_t conv_gradient_slices(const ck_conv_params *p) {
    size_t sliced = p->winograd ? WINOGRAD_GRADIENT_SLICED : CONV_SLICED;
    size_t most = conv_min(CONV_SLICES, sliced / conv_gradient_elements(p));
    return most > 1 ? conv_min(most, (size_t)p->batch) : 1;
}

/* A unit: a tile of rows × columns of a group, summed over the images of a slice: 12 × 32 or less; by Winograd's method all
 * rows × 64. Of depthwise convolution there is one slice, and the columns are all channels. */
typedef struct {
    size_t row, rows, group, column, columns;
    size_t slice, image, images;
    size_t left; /* units of the slice, from this one on */
} conv_gradient_tile;

typedef struct {
    size_t down, across, width; /* tiles of rows, tiles of columns, columns of a tile */
    size_t units;               /* of a slice */
} conv_gradient_grid;

CONV_INLINE conv_gradient_grid conv_gradient_grid_of(const ck_conv_params *p, int depthwise) {
    const int winograd = !depthwise && p->winograd;
    conv_gradient_grid g;
    g.width = winograd ? WINOGRAD_GRADIENT_COLUMNS : CONV_COLUMNS;
    g.down = winograd ? 1 : conv_ceil(conv_gradient_rows(p, depthwise), CONV_TILE);
    g.across = conv_ceil(conv_gradient_columns(p, depthwise), g.width);
    g.units = g.down * g.across * (depthwise ? 1 : (size_t)p->groups);
    return g;
}

CONV_INLINE conv_gradient_tile conv_gradient_tile_at(const ck_conv_params *p, int depthwise, size_t unit) {
    const conv_gradient_grid g = conv_gradient_grid_of(p, depthwise);
    size_t rows = conv_gradient_rows(p, depthwise), columns = conv_gradient_columns(p, depthwise);
    size_t slices = depthwise ? 1 : conv_gradient_slices(p), batch = (size_t)p->batch;
    conv_gradient_tile t;
    t.slice = unit / g.units;
    t.image = t.slice * batch / slices;
    t.images = (t.slice + 1) * batch / slices - t.image;
    t.left = g.units - unit % g.units;
    unit %= g.units;
    t.row = unit % g.down * rows / g.down;
    t.rows = (unit % g.down + 1) * rows / g.down - t.row;
    t.column = unit / g.down % g.across * g.width;
    t.group = unit / g.down / g.across;
    t.columns = conv_min(g.width, columns - t.column);
    return t;
}
#endif
