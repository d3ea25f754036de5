/* Tiles of Winograd's convolution, the blocks they are transformed in, and the workspace of a lane. */
#ifndef CK_WINOGRAD_VIEW_H
#define CK_WINOGRAD_VIEW_H

#include "ck_winograd.h"
#include "conv_view.h"

#define WINOGRAD_SIDE 6       /* of the largest transformed tile */
#define WINOGRAD_COLUMNS 64   /* the most channels in a unit */

/* A lane's workspace holds V, the transformed sources of a block, as [place][tile][channel], a place being one of
 * (m + 2)², and the products of a unit, M, as [tile][place][column]. The pitches keep tiles and places from falling
 * onto the same lines of a cache. */
typedef struct {
    const ck_conv_params *p;
    size_t tile, places;                /* m, (m + 2)² */
    int32_t height, width;              /* what tiles cover: Y, or dY */
    size_t down, across, tiles;         /* tiles of a picture, and of all pictures */
    size_t in_c, out_c;
    size_t block, blocks;               /* tiles in a block */
    size_t columns, chunks;             /* columns in a chunk */
    size_t pictures;                    /* of a unit of the gradient */
    size_t pitch, plane, product_pitch; /* of V from tile to tile, from place to place; of M from tile to tile */
} winograd_view;

/* The pixel at a tile's corner, and how many rows and columns of the tile there are. */
typedef struct {
    size_t image;
    int32_t y, x, rows, columns;
} winograd_tile;

winograd_view winograd_view_of(const ck_winograd_params *w);

CONV_INLINE size_t winograd_lane_elements(const winograd_view *v) {
    return v->places * v->plane + v->block * v->product_pitch;
}

CONV_INLINE winograd_tile winograd_tile_at(const winograd_view *v, size_t tile) {
    const int32_t m = (int32_t)v->tile;
    winograd_tile t = {.image = tile / (v->down * v->across)};
    t.y = (int32_t)(tile / v->across % v->down) * m;
    t.x = (int32_t)(tile % v->across) * m;
    t.rows = v->height - t.y < m ? v->height - t.y : m;
    t.columns = v->width - t.x < m ? v->width - t.x : m;
    return t;
}

/* Whether no tile before t, of the same picture, adds to pixel (i, j) of the (m + 2)² that t adds to. */
CONV_INLINE int winograd_is_first(const winograd_tile *t, int i, int j) { return (i >= 2 || t->y == 0) && (j >= 2 || t->x == 0); }
#endif
