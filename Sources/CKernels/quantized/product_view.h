/* The geometry of an integer product: which rows of bytes it reads, how it is cut into units. The same for every
 * instruction set. */
#ifndef CK_QUANTIZED_PRODUCT_VIEW_H
#define CK_QUANTIZED_PRODUCT_VIEW_H

#include "ck_quantized.h"

#define PRODUCT_ROWS 96          /* of a block: at least, of long sums; twice as many at most, or four times */
#define PRODUCT_WIDEST 8         /* panels of the widest */
#define PRODUCT_FEW 2            /* pixels, whose weights are read as they come */
#define PRODUCT_SHARED 2000000   /* products that are worth two threads, and so no single unit */
#define PRODUCT_SLACK 64         /* bytes past a thread's rows that may be written */

#define PRODUCT_INLINE static inline __attribute__((unused))

typedef struct {
    size_t pixels, taps, depth, k; /* depth: channels of a group; k: products of a sum */
    size_t columns, panels;        /* channels of the result, and their panels, in a group */
    size_t pitch;                  /* bytes from one gathered row to the next */
    size_t highest;                /* pixels of a block at most, however many there are */
    size_t height, blocks;         /* of blocks of pixels: the most in one, their number */
    size_t chunk, chunks;          /* panels in a unit; units across a group */
    size_t panel_bytes;
} product_view;

PRODUCT_INLINE size_t product_ceil(size_t a, size_t b) { return (a + b - 1) / b; }
PRODUCT_INLINE size_t product_min(size_t a, size_t b) { return a < b ? a : b; }

/* `amx`: by tiles of AMX. */
PRODUCT_INLINE product_view product_view_by(const ck_conv_params *g, int amx) {
    product_view v;
    v.pixels = (size_t)g->batch * (size_t)g->out_h * (size_t)g->out_w;
    v.taps = (size_t)g->kernel_h * (size_t)g->kernel_w;
    v.depth = (size_t)(g->in_c / g->groups);
    v.k = v.taps * v.depth;
    v.columns = (size_t)(g->out_c / g->groups);
    v.panels = product_ceil(v.columns, CK_PANEL);
    v.panel_bytes = product_ceil(v.k, 4) * 4 * CK_PANEL;
    /* Rows whose distance is a power of two would share few places of a cache. */
    v.pitch = product_ceil(v.k, 64) * 64;
    if (v.pitch % 512 == 0) v.pitch += 64;
    /* Weights that stay in a near cache are best met by few rows, but by tiles as high as those of AMX, of which the last goes on
     * over the end of a block; others by many, so that they come in once. */
    const int near = v.panels * v.panel_bytes <= 192 << 10, high = amx && near && v.taps > 1;
    v.highest = (size_t)(near ? 48 << 10 : 384 << 10) / v.pitch < PRODUCT_ROWS ? PRODUCT_ROWS : 2 * PRODUCT_ROWS;
    if (high) v.highest = 4 * PRODUCT_ROWS;
    v.chunk = v.pixels > PRODUCT_FEW ? 4 : PRODUCT_WIDEST;
    v.chunks = product_ceil(v.panels, v.chunk);
    size_t blocks = product_ceil(v.pixels + !v.pixels, v.highest);
    if (blocks * v.chunks == 1 && v.pixels * v.columns * v.k >= PRODUCT_SHARED) blocks = 2;
    if (high && blocks > 1) blocks += blocks % 2; /* few as they are, two threads get as many */
    const size_t even = product_ceil(v.pixels, blocks);
    /* Windows lie in pairs of lines. */
    const size_t step = g->pools ? 2 * (size_t)g->out_w : 16;
    if (g->pools) v.highest += step;
    v.height = product_min(v.pixels, product_ceil(even, step) * step);
    v.blocks = v.pixels == 0 ? 0 : product_ceil(v.pixels, v.height);
    return v;
}

PRODUCT_INLINE product_view product_view_of(const ck_conv_params *g) { return product_view_by(g, 0); }

/* Of a lane's workspace, for gathered rows. */
PRODUCT_INLINE size_t product_rows_bytes(const product_view *v) {
    return product_min(product_ceil(v->pixels, 16) * 16, v->highest) * v->pitch + PRODUCT_SLACK;
}

/* Whether an instruction set multiplies so many rows as words (product_words.inc). */
PRODUCT_INLINE int product_words(const product_view *v, ck_isa isa) {
    return (isa == CK_ISA_AVX2 || isa == CK_ISA_AVX512) && v->pixels > PRODUCT_FEW;
}

/* The first pixel of a block; all but the last have `height` pixels. */
PRODUCT_INLINE size_t product_block(const product_view *v, size_t block) {
    return product_min(block * v->height, v->pixels);
}
#endif
