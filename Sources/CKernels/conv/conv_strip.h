/* Narrow sources (few channels) at the edge: each source line that the tile needs, copied once with its padding. */
#ifndef CK_CONV_STRIP_H
#define CK_CONV_STRIP_H

#include "conv_micro.h"

#define CONV_STRIP 3072  /* floats on the stack */
#define CONV_NARROW 16   /* source channels below which this pays */

/* Copies line by line into `to`; `work`, whose taps touch, and the place then read there. Returns 0 if the tile does
 * not fit. Writes up to V_WIDTH − 1 floats past CONV_STRIP. */
CONV_COMPACT
static int conv_strip(float *to, conv_work *work, conv_place *at, const conv_axis *y, const conv_axis *x,
                      const conv_view *v) {
    const int32_t taps = x->taps, stride = x->stride;
    const size_t depth = v->depth, pitch = ((at->count - 1) * (size_t)stride + (size_t)taps) * depth;
    if (at->lines * (size_t)y->taps * pitch > CONV_STRIP) return 0;
    const float *source = work->source;
    const ptrdiff_t line = (ptrdiff_t)(v->source_w * v->source_c);
    for (size_t r = 0, n = 0; r < at->count; n++) {
        size_t first = r;
        const int32_t sx = at->x[r], sy = at->y[r];
        while (++r < at->count && at->x[r] > sx && at->y[r] == sy) {}
        const int32_t width = (int32_t)(r - first - 1) * stride + taps;
        const int32_t begin = sx < 0 ? (-sx < width ? -sx : width) : 0;
        const int32_t end = x->size - sx < begin ? begin : x->size - sx < width ? x->size - sx : width;
        const ptrdiff_t base = at->source[first];
        float *strip = to + n * (size_t)y->taps * pitch;
        for (size_t i = first; i < r; i++)
            at->source[i] = (strip - to) + (ptrdiff_t)((i - first) * (size_t)stride * depth);
        for (int32_t ty = 0; ty < y->taps; ty++, strip += pitch) {
            const int inside = (uint32_t)(sy + ty * y->move) < (uint32_t)y->size;
            const size_t from = inside ? (size_t)begin * depth : 0, until = inside ? (size_t)end * depth : 0;
            for (size_t c = 0; c < (size_t)width * depth; c += V_WIDTH) v_store(strip + c, v_zero());
            for (size_t c = from; c < until; c += V_WIDTH) {
                const float *piece = source + (base + ty * y->move * line + (ptrdiff_t)c);
                v_store(strip + c, conv_load_part(piece, conv_min(until - c, V_WIDTH))); /* and zeros */
            }
        }
    }
    for (size_t i = at->count; i < CONV_ROWS; i++) at->source[i] = at->source[at->count - 1];
    work->source = to;
    work->source_y = (ptrdiff_t)pitch;
    at->inside = 1;
    return 1;
}
#endif
