/* The weight gradient of 3 × 3 kernels by Winograd's method: F(3 × 3, 2 × 2), Lavin and Gray 2016, section 4.1, turned to
 * gradients. For every tile of 2 × 2 pixels of dY and the 4 × 4 of X that they read,
 *     dW = Gᵀ·(Σ over tiles of (Bᵀ·X·B) ⊙ (A·dY·Aᵀ))·G:
 * 16 products of matrices in place of 36, and no rounding but of sums in the transforms. X and dY count as 0 outside. */
#ifndef CK_WINOGRAD_GRADIENT_H
#define CK_WINOGRAD_GRADIENT_H

#include "conv_view.h"

#define WINOGRAD_GRADIENT_POINTS 16
#define WINOGRAD_GRADIENT_COLUMNS 64   /* output channels in a unit */

/* Sums of a slice: [point][input channel][output channel]. */
CONV_INLINE size_t winograd_gradient_sums(const ck_conv_params *p) {
    return WINOGRAD_GRADIENT_POINTS * (size_t)p->in_c * (size_t)p->out_c;
}

/* Tiles of an image, row by row. */
CONV_INLINE size_t winograd_gradient_tiles(const ck_conv_params *p) {
    return conv_ceil((size_t)p->out_h, 2) * conv_ceil((size_t)p->out_w, 2);
}

/* What a lane has in work: `tiles` tiles at a time, transformed to [point][tile][channel], the points apart from each other by a
 * line of cache more. Few channels are in the nearest cache, many are worth long sums. */
typedef struct {
    size_t tiles, columns;                /* output channels of a tile: those of a unit, rounded up */
    size_t source_plane, result_plane;    /* from point to point */
} winograd_gradient_work;

CONV_INLINE winograd_gradient_work winograd_gradient_work_of(const ck_conv_params *p) {
    const size_t in_c = (size_t)p->in_c, columns = conv_min(WINOGRAD_GRADIENT_COLUMNS, conv_ceil((size_t)p->out_c, 16) * 16);
    const size_t tiles = in_c + columns <= 64 ? 32 : 64;
    return (winograd_gradient_work){tiles, columns, tiles * in_c + 16, tiles * columns + 16};
}
CONV_INLINE size_t winograd_gradient_scratch(const ck_conv_params *p) {
    const winograd_gradient_work work = winograd_gradient_work_of(p);
    return WINOGRAD_GRADIENT_POINTS * (work.source_plane + work.result_plane);
}

/* Where a tile lies: its first pixel of dY, which X's less the padding is. */
typedef struct {
    size_t image;
    int32_t y, x;
} winograd_gradient_place;

CONV_INLINE winograd_gradient_place winograd_gradient_place_at(const ck_conv_params *p, size_t tile) {
    const size_t across = conv_ceil((size_t)p->out_w, 2), tiles = winograd_gradient_tiles(p), in_image = tile % tiles;
    return (winograd_gradient_place){tile / tiles, 2 * (int32_t)(in_image / across), 2 * (int32_t)(in_image % across)};
}
/* The tile after this one. */
CONV_INLINE void winograd_gradient_advance(const ck_conv_params *p, winograd_gradient_place *at) {
    at->x += 2;
    if (at->x < p->out_w) return;
    at->x = 0;
    at->y += 2;
    if (at->y < p->out_h) return;
    at->y = 0;
    at->image++;
}

/* Along one axis: Bᵀ·X and A·dY, with the ADD and SUB of the elements' type. */
#define WINOGRAD_GRADIENT_SOURCE(t, a, ADD, SUB)                                     \
    (t[0] = SUB(a[0], a[2]), t[1] = ADD(a[1], a[2]), t[2] = SUB(a[2], a[1]), t[3] = SUB(a[3], a[1]))
#define WINOGRAD_GRADIENT_RESULT(t, b, ADD, SUB) (t[0] = b[0], t[1] = ADD(b[0], b[1]), t[2] = SUB(b[0], b[1]), t[3] = b[1])
#endif
