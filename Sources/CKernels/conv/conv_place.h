/* Where the pixels of one register tile read and write, and the little helpers of all vector loops. Included
 * after a vector header and CONV_ROWS, the rows of the tallest tile. */
#ifndef CK_CONV_PLACE_H
#define CK_CONV_PLACE_H

#include "../vector/math.h"
#include "conv_view.h"

/* A loop over a register tile: unrolled wholly, or the sums would live in memory. */
#define CONV_EACH(i, n) _Pragma("clang loop unroll(full)") for (int i = 0; i < (n); i++)

/* Runs once per block or unit: kept small. */
#define CONV_COMPACT __attribute__((noinline, minsize))
#define CONV_APART __attribute__((noinline))

/* v_load_n and v_store_n, where n is V_WIDTH most of the time. */
V_INLINE vf conv_load_part(const float *p, size_t n) {
    return n == V_WIDTH && !CONV_MASKS_ARE_FREE ? v_load(p) : v_load_n(p, n);
}
V_INLINE void conv_store_part(float *p, vf x, size_t n) {
    if (n == V_WIDTH && !CONV_MASKS_ARE_FREE) v_store(p, x);
    else v_store_n(p, x, n);
}
/* How many of `columns` fall into vector v. */
V_INLINE size_t conv_part(size_t columns, size_t v) {
    return columns <= v * V_WIDTH ? 0 : conv_min(columns - v * V_WIDTH, V_WIDTH);
}

/* Pixels of a tile: the source coordinate of the first tap, the element offset of that tap and of the result.
 * Rows past `count` repeat the last pixel: they compute and store what it does. */
typedef struct {
    size_t count;
    int inside;                            /* no tap of any pixel falls into the padding */
    int32_t y[CONV_ROWS + V_WIDTH], x[CONV_ROWS + V_WIDTH];     /* written V_WIDTH at a time */
    ptrdiff_t source[2 * CONV_ROWS];                            /* written CONV_ROWS at a time */
    size_t result[2 * CONV_ROWS];
} conv_place;

/* The coordinates of a pixel of a phase. */
typedef struct {
    size_t image;
    int32_t j, i;
} conv_cursor;

V_INLINE conv_cursor conv_cursor_at(const conv_phase *phase, size_t pixel) {
    size_t line = pixel / (size_t)phase->x.count;
    return (conv_cursor){line / (size_t)phase->y.count, (int32_t)(line % (size_t)phase->y.count),
                         (int32_t)(pixel % (size_t)phase->x.count)};
}

V_INLINE int conv_all_inside(const conv_axis *a, int32_t least, int32_t most) {
    int32_t reach = a->move * (a->taps - 1);
    return least + (reach < 0 ? reach : 0) >= 0 && most + (reach > 0 ? reach : 0) < a->size;
}

/* stride·r for V_WIDTH rows r. */
CONV_COMPACT
static vi conv_strides(int32_t stride) {
    int32_t across[V_WIDTH];
    for (int r = 0; r < V_WIDTH; r++) across[r] = (int32_t)((uint32_t)stride * (uint32_t)r);
    return conv_load_int(across);
}

/* The next `count` pixels, for a tile of `rows`; `across` is the conv_strides of a line. */
V_INLINE void conv_place_next(conv_place *at, const conv_view *v, const conv_phase *phase, conv_cursor *cursor,
                              vi across, size_t count, size_t rows) {
    const conv_axis *y = &phase->y, *x = &phase->x;
    const size_t source_step = (size_t)x->stride * v->source_c;
    const size_t result_step = (size_t)x->step * v->result_c;
    at->count = count;
    at->inside = 1;
    for (size_t n = 0; n < count;) {
        size_t run = conv_min(count - n, (size_t)(x->count - cursor->i));
        int32_t sy = y->stride * cursor->j + y->base, sx = x->stride * cursor->i + x->base;
        ptrdiff_t source = (((ptrdiff_t)(cursor->image * v->source_h) + sy) * (ptrdiff_t)v->source_w + sx)
                         * (ptrdiff_t)v->source_c;
        size_t result = ((cursor->image * v->result_h + (size_t)(y->first + y->step * cursor->j)) * v->result_w
                         + (size_t)(x->first + x->step * cursor->i)) * v->result_c;
        at->inside &= conv_all_inside(y, sy, sy) && conv_all_inside(x, sx, sx + x->stride * (int32_t)(run - 1));
        conv_store_int(&at->y[n], vi_set(sy));
        conv_store_int(&at->x[n], vi_add(vi_set(sx), across));
        CONV_EACH(r, CONV_ROWS) {
            at->source[n + (size_t)r] = source;
            at->result[n + (size_t)r] = result;
            source += (ptrdiff_t)source_step;
            result += result_step;
            __asm__("" : "+r"(source), "+r"(result)); /* no vector stores: a tile reads these one by one, at once */
        }
        n += run;
        cursor->i += (int32_t)run;
        if (cursor->i == x->count) {
            cursor->i = 0;
            if (++cursor->j == y->count) {
                cursor->j = 0;
                cursor->image++;
            }
        }
    }
    for (size_t n = count; n < rows; n++) {
        at->y[n] = at->y[count - 1];
        at->x[n] = at->x[count - 1];
        at->source[n] = at->source[count - 1];
        at->result[n] = at->result[count - 1];
    }
}

#if CONV_POOLS
/* The windows of 2 × 2 pixels beside each other, as the pixels of a phase. */
V_INLINE conv_phase conv_windows_of(const conv_phase *phase) {
    conv_phase windows = *phase;
    windows.y.count /= 2, windows.x.count /= 2;
    windows.y.stride *= 2, windows.x.stride *= 2;
    return windows;
}

/* The pixels of the next windows, four after four, for a tile of `rows`, those past `count` as the last ones; places of the
 * result are windows'. */
CONV_APART
static void conv_place_windows(conv_place *at, const conv_view *v, const conv_phase *windows, conv_cursor *cursor, size_t count,
                               size_t rows) {
    const conv_axis *y = &windows->y, *x = &windows->x;
    const int32_t line = y->stride / 2, step = x->stride / 2;
    const ptrdiff_t across = step * (ptrdiff_t)v->source_c, down = line * (ptrdiff_t)(v->source_w * v->source_c);
    at->count = count;
    at->inside = 1;
    for (size_t n = 0; n < rows; n += 4) {
        const int32_t sy = y->stride * cursor->j + y->base, sx = x->stride * cursor->i + x->base;
        ptrdiff_t *source = at->source + n;
        source[0] = (((ptrdiff_t)(cursor->image * v->source_h) + sy) * (ptrdiff_t)v->source_w + sx) * (ptrdiff_t)v->source_c;
        source[1] = source[0] + across;
        source[2] = source[0] + down;
        source[3] = source[2] + across;
        at->result[n / 4] = ((cursor->image * (size_t)y->count + (size_t)cursor->j) * (size_t)x->count + (size_t)cursor->i) * v->result_c;
        at->inside &= conv_all_inside(y, sy, sy + line) && conv_all_inside(x, sx, sx + step);
        at->y[n] = at->y[n + 1] = sy, at->y[n + 2] = at->y[n + 3] = sy + line;
        at->x[n] = at->x[n + 2] = sx, at->x[n + 1] = at->x[n + 3] = sx + step;
        if (n + 4 < rows && n + 4 >= count) continue;
        if (++cursor->i < x->count) continue;
        cursor->i = 0;
        if (++cursor->j < y->count) continue;
        cursor->j = 0;
        cursor->image++;
    }
}

/* The greatest of a window's four, or the NaN. */
V_INLINE vf conv_greatest(vf a, vf b, vf c, vf d) {
    const vf greatest = v_max(v_max(d, c), v_max(b, a)), late = v_select(v_unordered(c, d), v_add(c, d), greatest);
    return v_select(v_unordered(a, b), v_add(a, b), late);
}
#endif

/* How far the first taps of CONV_ROWS rows, in lanes, lie from the four edges. */
typedef struct {
    vi top, left, bottom, right;
} conv_margins;

V_INLINE conv_margins conv_margins_of(const conv_place *at, int32_t height, int32_t width) {
    const vi y = conv_load_int(at->y), x = conv_load_int(at->x);
    return (conv_margins){y, x, vi_sub(vi_set(height - 1), y), vi_sub(vi_set(width - 1), x)};
}

/* Where those rows read the source `tap` elements from their first tap, (move_y, move_x) pixels away: there, or from
 * the zeros if it is padding. */
V_INLINE void conv_taps(const float **x, const conv_place *at, const conv_margins *m, const float *source,
                        ptrdiff_t tap, int32_t move_y, int32_t move_x) {
    const vi down = vi_set(move_y), across = vi_set(move_x);
    const vi row = vi_or(vi_add(m->top, down), vi_sub(m->bottom, down));
    const vi column = vi_or(vi_add(m->left, across), vi_sub(m->right, across));
    const uint32_t outside = conv_signs(vi_or(row, column));
    CONV_EACH(r, CONV_ROWS) {
        const uintptr_t there = (uintptr_t)source + (uintptr_t)(at->source[r] + tap) * sizeof(float);
        x[r] = outside >> r & 1 ? conv_zeros : (const float *)there;
    }
}

/* bias and residual or NULL, and the result, at a channel. Sums are limited to low ... high, which is what some
 * activations do; `act` is another one, or NULL. */
typedef struct {
    const float *bias, *residual;
    float *result;
    float low, high;
    const ck_activation_params *act;
    int pools;
} conv_epilogue;

CONV_COMPACT __attribute__((unused))
static conv_epilogue conv_epilogue_of(const ck_conv_params *p, void *const *operands, size_t channel) {
    const ck_activation_params *act = &p->activation;
    conv_epilogue e = {
        .bias = p->has_bias ? (const float *)operands[2] + channel : NULL,
        .residual = p->has_residual ? (const float *)operands[2 + p->has_bias] + channel : NULL,
        .result = (float *)operands[2 + p->has_bias + p->has_residual] + channel,
        .low = -INFINITY, .high = INFINITY, .pools = p->pools,
    };
    switch (act->kind) {
    case CK_ACT_NONE: break;
    case CK_ACT_RELU6: e.high = 6; /* and */
    case CK_ACT_RELU: e.low = 0; break;
    case CK_ACT_CLIP: e.low = act->alpha, e.high = act->beta; break;
    default: e.act = act;
    }
    return e;
}

/* act over a tile of rows · pitch sums, and its first `columns` columns to their places in the result. */
CONV_COMPACT
static void conv_activate(const conv_epilogue *to, const size_t *result, float *tile, size_t rows, size_t pitch,
                          size_t columns) {
    if (to->act) V_ISA_NAME(ck_activate)(to->act, tile, rows * pitch);
    for (size_t r = 0; r < rows; r++, tile += pitch)
        for (size_t c = 0; c < columns; c += V_WIDTH)
            conv_store_part(to->result + result[r] + c, v_load(tile + c), conv_min(columns - c, V_WIDTH));
}

#if CONV_POOLS
/* The maxima of every four rows of such a tile. */
CONV_APART
static void conv_maxima(const conv_epilogue *to, const size_t *result, const float *tile, size_t rows, size_t pitch, size_t columns) {
    for (const float *end = tile + rows * pitch; tile < end; tile += 4 * pitch, result++) {
        float *y = to->result + *result;
        for (size_t c = 0; c < columns; c += V_WIDTH) {
            const float *at = tile + c;
            v_store_n(y + c, conv_greatest(v_load(at), v_load(at + pitch), v_load(at + 2 * pitch), v_load(at + 3 * pitch)),
                      conv_min(columns - c, V_WIDTH));
        }
    }
}
#endif

/* Whether conv_activate or conv_maxima ends what a register tile begins. */
V_INLINE int conv_ends_apart(const conv_epilogue *to, size_t columns, const int vectors) {
    return to->act || to->pools || (!CONV_MASKS_ARE_FREE && columns < (size_t)vectors * V_WIDTH);
}

/* result = sum + bias + residual, limited, for a register tile whose row r goes to element result[r]; or 0, and the tile's
 * sums so made, where it ends apart. */
V_INLINE int conv_end_at_once(vf sum[][CONV_VECTORS], const conv_epilogue *to, const size_t *result, size_t columns,
                              const int rows, const int vectors) {
    size_t n[CONV_VECTORS];
    CONV_EACH(v, vectors) n[v] = conv_part(columns, (size_t)v);
    float *y = to->result;
    const float *residual = to->residual;
    if (to->bias)
        CONV_EACH(v, vectors) {
            const vf bias = v_load_n(to->bias + v * V_WIDTH, n[v]);
            CONV_EACH(r, rows) sum[r][v] = v_add(sum[r][v], bias);
        }
    if (residual)
        CONV_EACH(r, rows) CONV_EACH(v, vectors)
            sum[r][v] = v_add(sum[r][v], v_load_n(residual + result[r] + v * V_WIDTH, n[v]));
    if (to->low > -INFINITY) CONV_EACH(r, rows) CONV_EACH(v, vectors) sum[r][v] = v_max(v_set(to->low), sum[r][v]);
    if (to->high < INFINITY) CONV_EACH(r, rows) CONV_EACH(v, vectors) sum[r][v] = v_min(v_set(to->high), sum[r][v]);
    if (conv_ends_apart(to, columns, vectors)) return 0;
    CONV_EACH(r, rows) CONV_EACH(v, vectors)
        if (CONV_MASKS_ARE_FREE) v_store_n(y + result[r] + v * V_WIDTH, sum[r][v], n[v]);
        else v_store(y + result[r] + v * V_WIDTH, sum[r][v]);
    return 1;
}

/* result = act(sum + bias + residual) for a register tile. */
V_INLINE void conv_end(vf sum[][CONV_VECTORS], const conv_epilogue *to, const size_t *result, size_t columns,
                       const int rows, const int vectors) {
    if (conv_end_at_once(sum, to, result, columns, rows, vectors)) return;
    float tile[CONV_MOST_ROWS * CONV_VECTORS * V_WIDTH];
    CONV_EACH(r, rows) CONV_EACH(v, vectors) v_store(tile + (r * vectors + v) * V_WIDTH, sum[r][v]);
#if CONV_POOLS
    if (to->pools) {
        conv_maxima(to, result, tile, (size_t)rows, (size_t)vectors * V_WIDTH, columns);
        return;
    }
#endif
    conv_activate(to, result, tile, (size_t)rows, (size_t)vectors * V_WIDTH, columns);
}
#endif
