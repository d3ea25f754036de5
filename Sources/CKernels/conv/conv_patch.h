/* Narrow sources (few channels) at the edge: what each pixel of a tile reads, copied into a row of its own, padding as zeros, so
 * that all its taps are one. */
#ifndef CK_CONV_PATCH_H
#define CK_CONV_PATCH_H

#include "conv_micro.h"

#define CONV_NARROW 16  /* source channels below which this pays */
#define CONV_PATCH 384  /* elements of a row at most, on the stack */

/* Fills the rows of a tile whose taps touch; the place, then inside, reads there. Rows past the tile's are as the last ones, of which
 * `together` are a window. Writes up to V_WIDTH − 1 elements more. */
CONV_COMPACT
static void conv_patches(float *to, conv_place *at, const conv_axis *y, const conv_axis *x, const conv_view *v,
                         const float *source, size_t together) {
    const size_t depth = v->depth, run = (size_t)x->taps * depth, row = (size_t)y->taps * run;
    const ptrdiff_t line = y->move * (ptrdiff_t)(v->source_w * v->source_c);
    float *piece = to;
    for (size_t r = 0; r < at->count; r++) {
        const int32_t before = -at->x[r], after = x->size - at->x[r]; /* taps of a line until it begins, until it ends */
        const size_t begin = before <= 0 ? 0 : conv_min((size_t)before * depth, run);
        const size_t end = after <= 0 ? 0 : conv_min((size_t)after * depth, run);
        for (int32_t ty = 0; ty < y->taps; ty++, piece += run) {
            const ptrdiff_t from = at->source[r] + ty * line;
            const int inside = (uint32_t)(at->y[r] + ty * y->move) < (uint32_t)y->size;
            for (size_t c = 0; c < run; c += V_WIDTH) v_store(piece + c, v_zero());
            for (size_t c = begin; inside && c < end; c += V_WIDTH)
                v_store(piece + c, conv_load_part(source + (from + (ptrdiff_t)c), conv_min(end - c, V_WIDTH))); /* and zeros */
        }
    }
    for (size_t r = 0; r < CONV_ROWS; r++)
        at->source[r] = (ptrdiff_t)((r < at->count ? r : at->count - together + r % together) * row);
    at->inside = 1;
}
#endif
