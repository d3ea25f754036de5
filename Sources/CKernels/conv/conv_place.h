/* Where the pixels of one register tile read and write. Included after a vector header. */
#ifndef CK_CONV_PLACE_H
#define CK_CONV_PLACE_H

#include "conv_view.h"

/* A loop over a register tile: unrolled wholly, or the sums would live in memory. */
#define CONV_EACH(i, n) _Pragma("clang loop unroll(full)") for (int i = 0; i < (n); i++)

/* Of each pixel: the source coordinate of its first tap, the element offset of that tap, its result pixel.
 * Rows past `count` repeat the last pixel. */
typedef struct {
    size_t count;
    int inside; /* no tap of any pixel falls into the padding */
    int32_t y[CONV_ROWS], x[CONV_ROWS];
    ptrdiff_t source[CONV_ROWS];
    size_t result[CONV_ROWS];
} conv_place;

V_INLINE int conv_all_inside(const conv_axis *a, int32_t least, int32_t most) {
    int32_t reach = a->move * (a->taps - 1);
    return least + (reach < 0 ? reach : 0) >= 0 && most + (reach > 0 ? reach : 0) < a->size;
}

/* The pixels pixel ..< pixel + count of a phase; their coordinates (image, j, i) are given and advanced. */
typedef struct {
    size_t image;
    int32_t j, i;
} conv_cursor;

V_INLINE conv_cursor conv_cursor_at(const conv_phase *phase, size_t pixel) {
    size_t line = pixel / (size_t)phase->x.count;
    return (conv_cursor){line / (size_t)phase->y.count, (int32_t)(line % (size_t)phase->y.count),
                         (int32_t)(pixel % (size_t)phase->x.count)};
}

V_INLINE void conv_place_at(conv_place *at, const conv_view *v, const conv_phase *phase, conv_cursor *cursor,
                            size_t count, size_t rows) {
    const conv_axis *y = &phase->y, *x = &phase->x;
    const int32_t step = x->stride;
    const ptrdiff_t source_step = (ptrdiff_t)step * (ptrdiff_t)v->source_c;
    size_t n = 0;
    at->count = count;
    at->inside = 1;
    while (n < count) { /* along one line */
        size_t run = conv_min(count - n, (size_t)(x->count - cursor->i));
        int32_t sy = y->stride * cursor->j + y->base, sx = step * cursor->i + x->base;
        ptrdiff_t source = (((ptrdiff_t)(cursor->image * v->source_h) + sy) * (ptrdiff_t)v->source_w + sx)
                         * (ptrdiff_t)v->source_c;
        size_t result = (cursor->image * v->result_h + (size_t)(y->first + y->step * cursor->j)) * v->result_w
                      + (size_t)(x->first + x->step * cursor->i);
        at->inside &= conv_all_inside(y, sy, sy) && conv_all_inside(x, sx, sx + step * (int32_t)(run - 1));
        for (size_t r = 0; r < run; r++, n++) {
            at->y[n] = sy;
            at->x[n] = sx + step * (int32_t)r;
            at->source[n] = source + source_step * (ptrdiff_t)r;
            at->result[n] = result + (size_t)x->step * r;
        }
        cursor->i += (int32_t)run;
        if (cursor->i == x->count) {
            cursor->i = 0;
            if (++cursor->j == y->count) {
                cursor->j = 0;
                cursor->image++;
            }
        }
    }
    for (; n < rows; n++) {
        at->y[n] = at->y[count - 1];
        at->x[n] = at->x[count - 1];
        at->source[n] = at->source[count - 1];
        at->result[n] = at->result[count - 1];
    }
}

V_INLINE vf conv_load_part(const float *p, size_t n) { return n == V_WIDTH ? v_load(p) : v_load_n(p, n); }
V_INLINE void conv_store_part(float *p, vf x, size_t n) {
    if (n == V_WIDTH) v_store(p, x);
    else v_store_n(p, x, n);
}
/* How many of `columns` fall into vector v. */
V_INLINE size_t conv_part(size_t columns, size_t v) {
    return columns <= v * V_WIDTH ? 0 : conv_min(columns - v * V_WIDTH, V_WIDTH);
}

/* Activations that are not worth a place in every register tile: over a stored tile, while it is in cache. */
static __attribute__((noinline)) void conv_activate(float *result, const conv_place *at, size_t result_c,
                                                    size_t columns, const ck_activation_params *act) {
    for (size_t r = 0; r < at->count; r++) {
        float *to = result + at->result[r] * result_c;
        for (size_t c = 0; c < columns; c += V_WIDTH) {
            size_t n = conv_min(columns - c, V_WIDTH);
            conv_store_part(to + c, v_activate(conv_load_part(to + c, n), act), n);
        }
    }
}
#endif
