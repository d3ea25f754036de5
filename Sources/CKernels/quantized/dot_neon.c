/* Integer products by the dot products of NEON. The instruction multiplies signed bytes, so that x itself is summed, and
 * 128 · Σ W with it: acc = c + 128 · Σ W + Σ x · W. */
#if defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
#include <arm_neon.h>
#include <string.h>

#include "../vector/scalar_math.h"
#include "product_view.h"
#include "quantize.h"
#include "quantized_tasks.h"

#define NEON_ROWS 4 /* of a tile, which is one panel wide: sixteen registers of sums */
#define NEON_UNROLL _Pragma("clang loop unroll(full)")

/* One row of taps in order (ky, kx, channel), zeros up to a multiple of four; they meet weights of the padding. */
static void gather_row(const ck_product8_params *p, const product_view *v, const int8_t *x, size_t pixel, size_t group,
                       int8_t *to) {
    const ck_conv_params *g = &p->geometry;
    const size_t ox = pixel % (size_t)g->out_w, oy = pixel / (size_t)g->out_w % (size_t)g->out_h;
    const size_t image = pixel / (size_t)g->out_w / (size_t)g->out_h;
    for (int32_t ky = 0; ky < g->kernel_h; ky++)
        for (int32_t kx = 0; kx < g->kernel_w; kx++, to += v->depth) {
            const int64_t iy = (int64_t)oy * g->stride_h - g->pad_top + (int64_t)ky * g->dilation_h;
            const int64_t ix = (int64_t)ox * g->stride_w - g->pad_left + (int64_t)kx * g->dilation_w;
            if (iy < 0 || iy >= g->in_h || ix < 0 || ix >= g->in_w) {
                memset(to, p->padding, v->depth);
                continue;
            }
            const size_t at = (image * (size_t)g->in_h + (size_t)iy) * (size_t)g->in_w + (size_t)ix;
            memcpy(to, x + at * (size_t)g->in_c + group * v->depth, v->depth);
        }
    memset(to, 0, 3);
}

/* sums[rows][16] = c + 128 · Σ W + Σ x · W over one panel. */
static inline __attribute__((always_inline)) void tile(const int8_t *x, size_t pitch, const int8_t *w, size_t fours,
                                                       const int32_t *c, int32_t *sums, const int rows) {
    int32x4_t sum[NEON_ROWS][4], weights[4];
    NEON_UNROLL for (int q = 0; q < 4; q++) {
        weights[q] = vdupq_n_s32(0);
        NEON_UNROLL for (int r = 0; r < rows; r++) sum[r][q] = vld1q_s32(c + 4 * q);
    }
    const int8x16_t ones = vdupq_n_s8(1);
    for (size_t k = 0; k < fours; k++, w += 4 * CK_PANEL) {
        int8x16_t row[NEON_ROWS];
        NEON_UNROLL for (int r = 0; r < rows; r++) {
            int32_t word;
            memcpy(&word, x + (size_t)r * pitch + 4 * k, sizeof word);
            row[r] = vreinterpretq_s8_s32(vdupq_n_s32(word));
        }
        NEON_UNROLL for (int q = 0; q < 4; q++) {
            const int8x16_t four = vld1q_s8(w + 16 * q);
            weights[q] = vdotq_s32(weights[q], four, ones);
            NEON_UNROLL for (int r = 0; r < rows; r++) sum[r][q] = vdotq_s32(sum[r][q], four, row[r]);
        }
    }
    NEON_UNROLL for (int q = 0; q < 4; q++)
        NEON_UNROLL for (int r = 0; r < rows; r++)
            vst1q_s32(sums + r * CK_PANEL + 4 * q, vaddq_s32(sum[r][q], vshlq_n_s32(weights[q], 7)));
}

static void finish(const ck_product8_params *p, void *const *operands, const int32_t *sums, size_t pixel, size_t rows,
                   size_t channel, size_t columns) {
    const float *m = (const float *)operands[3] + channel;
    void *const *next = operands + 4;
    const float *row_scales = p->has_row_scales ? *next++ : NULL, *bias = p->has_bias ? *next++ : NULL;
    const void *residual = p->has_residual ? *next++ : NULL;
    for (size_t r = 0; r < rows; r++, sums += CK_PANEL)
        for (size_t n = 0; n < columns; n++) {
            const size_t at = (pixel + r) * (size_t)p->geometry.out_c + channel + n;
            float y = (float)sums[n];
            if (row_scales) y *= row_scales[pixel + r];
            y *= m[n];
            if (bias) y += bias[channel + n];
            if (residual)
                y += p->real_output ? ((const float *)residual)[at]
                                    : (float)(((const int8_t *)residual)[at] - p->residual_zero) * p->residual_scale;
            if (p->real_output) ((float *)*next)[at] = ck_activate_f32(y, &p->activation);
            else ((int8_t *)*next)[at] = quantize(y, &p->to);
        }
}

void ck_product8_neon(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    const ck_product8_params *p = params;
    const product_view v = product_view_of(&p->geometry);
    const size_t across = (size_t)p->geometry.groups * v.chunks, fours = product_ceil(v.k, 4);
    int8_t *rows = (int8_t *)operands[5 + p->has_row_scales + p->has_bias + p->has_residual] + lane * (size_t)p->lane_bytes;
    size_t gathered = (size_t)-1;
    for (size_t unit = begin; unit < end; unit++) {
        const size_t block = unit / across, group = unit % across / v.chunks, chunk = unit % v.chunks;
        const size_t pixel = product_block(&v, block), pixels = product_block(&v, block + 1) - pixel;
        for (size_t i = 0; unit / v.chunks != gathered && i < pixels; i++)
            gather_row(p, &v, operands[0], pixel + i, group, rows + i * v.pitch);
        gathered = unit / v.chunks;
        const size_t last = product_min((chunk + 1) * v.chunk, v.panels);
        for (size_t panel = chunk * v.chunk; panel < last; panel++) {
            const size_t column = panel * CK_PANEL, columns = product_min(CK_PANEL, v.columns - column);
            const int8_t *w = (const int8_t *)operands[1] + (group * v.panels + panel) * v.panel_bytes;
            int32_t c[CK_PANEL] = {0}, sums[NEON_ROWS * CK_PANEL];
            memcpy(c, (const int32_t *)operands[2] + group * v.columns + column, columns * sizeof *c);
            for (size_t row = 0, height; row < pixels; row += height) {
                const int8_t *x = rows + row * v.pitch;
                height = product_min(pixels - row, NEON_ROWS);
                switch (height) {
                case 4: tile(x, v.pitch, w, fours, c, sums, 4); break;
                case 3: tile(x, v.pitch, w, fours, c, sums, 3); break;
                case 2: tile(x, v.pitch, w, fours, c, sums, 2); break;
                default: tile(x, v.pitch, w, fours, c, sums, 1); break;
                }
                finish(p, operands, sums, pixel + row, height, group * v.columns + column, columns);
            }
        }
    }
}
#endif
