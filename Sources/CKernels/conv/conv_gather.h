/* Narrow sources (few channels) at the edge: the terms of each pixel copied side by side, padding as zeros. */
#ifndef CK_CONV_GATHER_H
#define CK_CONV_GATHER_H

#include "conv_place.h"

#define CONV_ZEROS 256   /* floats of padding to read */
#define CONV_GATHER 3072 /* floats gathered on the stack */
#define CONV_NARROW 16   /* source channels below which gathering pays */

static const float conv_zeros[CONV_ZEROS];

/* Both may write up to V_WIDTH − 1 floats past the end. */
V_INLINE float *conv_copy(float *to, const float *from, size_t n) {
    for (size_t i = 0; i < n; i += V_WIDTH) v_store(to + i, conv_load_part(from + i, conv_min(n - i, V_WIDTH)));
    return to + n;
}
V_INLINE float *conv_fill_zero(float *to, size_t n) {
    for (size_t i = 0; i < n; i += V_WIDTH) v_store(to + i, v_zero());
    return to + n;
}

static __attribute__((noinline)) void conv_gather(float *to, conv_place *at, const float *source, const conv_axis *y,
                                                  const conv_axis *x, const conv_view *v, size_t terms) {
    const int touching = x->move == 1 && v->depth == v->source_c;
    const ptrdiff_t step_y = (ptrdiff_t)y->move * (ptrdiff_t)(v->source_w * v->source_c);
    const ptrdiff_t step_x = (ptrdiff_t)x->move * (ptrdiff_t)v->source_c;
    for (size_t r = 0; r < CONV_ROWS; r++) {
        if (r >= at->count) {
            at->source[r] = at->source[at->count - 1];
            continue;
        }
        for (int32_t ty = 0; ty < y->taps; ty++) {
            int32_t sy = at->y[r] + ty * y->move, sx = at->x[r];
            ptrdiff_t from = at->source[r] + ty * step_y;
            if (sy < 0 || sy >= y->size) {
                to = conv_fill_zero(to, (size_t)x->taps * v->depth);
            } else if (touching) {
                int32_t first = sx < 0 ? -sx : 0, last = x->size - sx;
                first = first < x->taps ? first : x->taps;
                last = last < first ? first : last < x->taps ? last : x->taps;
                to = conv_fill_zero(to, (size_t)first * v->depth);
                to = conv_copy(to, source + (from + first * step_x), (size_t)(last - first) * v->depth);
                to = conv_fill_zero(to, (size_t)(x->taps - last) * v->depth);
            } else {
                for (int32_t tx = 0; tx < x->taps; tx++, sx += x->move, from += step_x)
                    to = sx >= 0 && sx < x->size ? conv_copy(to, source + from, v->depth) : conv_fill_zero(to, v->depth);
            }
        }
        at->source[r] = (ptrdiff_t)(r * terms);
    }
    at->inside = 1;
}
#endif
