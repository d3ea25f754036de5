/* Integer convolutions by minimal filtering F(2 × 2, 3 × 3), exact: of Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A the weights' transform is
 * taken with 2 · G, so that all is integer and the results are four times Y. Sources stay below 2¹⁰, weights below 2¹¹, and
 * 4 · Y below 2³¹ for the channels allowed here. For instruction sets whose products of bytes are no faster than those of words. */
#ifndef CK_QUANTIZED_PRODUCT_WINOGRAD_H
#define CK_QUANTIZED_PRODUCT_WINOGRAD_H

#include "product_view.h"

#define WINOGRAD8_PLACES 16      /* of a transformed tile, 4 × 4 */
#define WINOGRAD8_CHANNELS 16    /* transformed together */
#define WINOGRAD8_DEEPEST 1024   /* channels at most */
#define WINOGRAD8_SOURCES (416 << 10) /* bytes of a block's sources, about */

/* A lane's workspace: the sources of a block, i16 [place][tile][channel], products of a panel, i32 [place][tile][16], and the
 * panel's weights, i16 [place][channel / 4][2][16][2]. */
typedef struct {
    size_t depth, down, across, tiles; /* tiles of an image, and of all */
    size_t block, blocks;              /* tiles in a block */
    size_t highest;                    /* tiles that a lane has room for */
    size_t plane, weights_plane;       /* bytes of sources and of weights from place to place */
} winograd8_view;

PRODUCT_INLINE int winograd8_takes(const ck_conv_params *g, ck_isa isa) {
    const product_view v = product_view_of(g);
    return product_words(&v, isa) && g->kernel_h == 3 && g->kernel_w == 3 && g->stride_h == 1 && g->stride_w == 1 &&
           g->dilation_h == 1 && g->dilation_w == 1 && g->groups == 1 && v.depth % WINOGRAD8_CHANNELS == 0 &&
           v.depth <= WINOGRAD8_DEEPEST;
}

PRODUCT_INLINE winograd8_view winograd8_view_of(const ck_conv_params *g) {
    winograd8_view v = {.depth = (size_t)g->in_c, .down = product_ceil((size_t)g->out_h, 2),
                        .across = product_ceil((size_t)g->out_w, 2)};
    v.tiles = (size_t)g->batch * v.down * v.across;
    size_t limit = WINOGRAD8_SOURCES / (WINOGRAD8_PLACES * 2 * v.depth) / 12 * 12; /* in sixes and in fours */
    limit = limit < 12 ? 12 : product_min(limit, 120);
    v.highest = product_min(limit, product_ceil(v.tiles, 4) * 4);
    v.blocks = product_ceil(v.tiles, limit);
    if (v.blocks == 1 && v.tiles > 8 && g->out_c <= 4 * CK_PANEL) v.blocks = 2; /* else it were one unit */
    v.block = v.blocks == 0 ? 0 : product_ceil(product_ceil(v.tiles, v.blocks), 4) * 4;
    /* Places fall into different lines of a cache. */
    v.plane = v.highest * v.depth * 2 + 64;
    v.weights_plane = v.depth * CK_PANEL * 2 + 64;
    return v;
}

PRODUCT_INLINE size_t winograd8_lane_bytes(const winograd8_view *v) {
    return WINOGRAD8_PLACES * (v->plane + v->weights_plane + v->highest * CK_PANEL * sizeof(int32_t));
}
#endif
