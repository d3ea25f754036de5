/* The weight gradient of 3 × 3 kernels by Winograd's method: F(3 × 3, 4 × 4), Lavin and Gray 2016, section 4.1, turned to
 * gradients. For every tile of 4 × 4 pixels of dY and the 6 × 6 of X that they read, with the matrices of ck_winograd.h for m = 4,
 *     dW = Gᵀ·(Σ over tiles of (Bᵀ·X·B) ⊙ (A·dY·Aᵀ))·G:
 * 36 products of matrices in place of 144. X and dY count as 0 outside. */
#ifndef CK_WINOGRAD_GRADIENT_H
#define CK_WINOGRAD_GRADIENT_H

#include "winograd_view.h"

#define WINOGRAD_GRADIENT_TILE 4
#define WINOGRAD_GRADIENT_SIDE (WINOGRAD_GRADIENT_TILE + 2)
#define WINOGRAD_GRADIENT_POINTS (WINOGRAD_GRADIENT_SIDE * WINOGRAD_GRADIENT_SIDE)
#define WINOGRAD_GRADIENT_COLUMNS 64   /* output channels in a unit */

/* Sums of a slice: [point][input channel][output channel]. */
CONV_INLINE size_t winograd_gradient_sums(const ck_conv_params *p) {
    return WINOGRAD_GRADIENT_POINTS * (size_t)p->in_c * (size_t)p->out_c;
}

/* Where tiles lie: of dY, and so those of X that they read. */
CONV_INLINE winograd_view winograd_gradient_view(const ck_conv_params *p) {
    winograd_view v = {.p = p, .tile = WINOGRAD_GRADIENT_TILE, .height = p->out_h, .width = p->out_w, .in_c = (size_t)p->in_c};
    v.down = conv_ceil((size_t)p->out_h, v.tile);
    v.across = conv_ceil((size_t)p->out_w, v.tile);
    return v;
}

/* What a lane has in work: `tiles` tiles at a time, transformed to [point][tile][channel], the points apart from each other by a
 * line of cache more. Few channels are in the nearest cache, many are worth long sums. */
typedef struct {
    size_t tiles, columns;                /* output channels of a tile: those of a unit, rounded up */
    size_t source_plane, result_plane;    /* from point to point */
} winograd_gradient_work;

CONV_INLINE winograd_gradient_work winograd_gradient_work_of(const ck_conv_params *p) {
    const size_t in_c = (size_t)p->in_c, columns = conv_min(WINOGRAD_GRADIENT_COLUMNS, conv_ceil((size_t)p->out_c, 16) * 16);
    const size_t tiles = in_c + columns <= 64 ? 32 : 16;
    return (winograd_gradient_work){tiles, columns, tiles * in_c + 16, tiles * columns + 16};
}
CONV_INLINE size_t winograd_gradient_scratch(const ck_conv_params *p) {
    const winograd_gradient_work work = winograd_gradient_work_of(p);
    return WINOGRAD_GRADIENT_POINTS * (work.source_plane + work.result_plane);
}
#endif
