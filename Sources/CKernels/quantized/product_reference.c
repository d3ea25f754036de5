/* Integer products and convolutions: the definition. */
#include "../vector/scalar_math.h"
#include "product_view.h"
#include "quantize.h"
#include "quantized_tasks.h"

/* acc of one pixel and channel. */
static uint32_t sum_of(const ck_product8_params *p, const product_view *v, const int8_t *x, const int8_t *w, size_t pixel,
                       size_t channel, int depthwise) {
    const ck_conv_params *g = &p->geometry;
    const size_t ox = pixel % (size_t)g->out_w, oy = pixel / (size_t)g->out_w % (size_t)g->out_h;
    const size_t image = pixel / (size_t)g->out_w / (size_t)g->out_h, group = channel / v->columns;
    const size_t column = channel % v->columns;
    const int8_t *panel = w + (group * v->panels + column / CK_PANEL) * v->panel_bytes;
    uint32_t sum = 0;
    for (size_t k = 0; k < v->k; k++) {
        const size_t tap = k / v->depth;
        const int64_t y = (int64_t)oy * g->stride_h - g->pad_top + (int64_t)(tap / (size_t)g->kernel_w) * g->dilation_h;
        const int64_t i = (int64_t)ox * g->stride_w - g->pad_left + (int64_t)(tap % (size_t)g->kernel_w) * g->dilation_w;
        int32_t code = p->padding;
        if (y >= 0 && y < g->in_h && i >= 0 && i < g->in_w)
            code = x[((image * (size_t)g->in_h + (size_t)y) * (size_t)g->in_w + (size_t)i) * (size_t)g->in_c +
                     group * v->depth + k % v->depth];
        const int32_t weight = depthwise ? w[tap * (size_t)g->out_c + channel]
                                         : panel[(k / 4 * CK_PANEL + column % CK_PANEL) * 4 + k % 4];
        sum += (uint32_t)((code + 128) * weight);
    }
    return sum;
}

static void pixels_of(const ck_product8_params *p, const product_view *v, void *const *operands, size_t pixel, size_t end,
                      size_t channel, size_t channel_end, int depthwise) {
    const int32_t *c = operands[2];
    const float *m = operands[3];
    void *const *next = operands + 4;
    const float *row_scales = p->has_row_scales ? *next++ : NULL, *bias = p->has_bias ? *next++ : NULL;
    const void *residual = p->has_residual ? *next++ : NULL;
    for (; pixel < end; pixel++)
        for (size_t n = channel; n < channel_end; n++) {
            const uint32_t sum = (uint32_t)c[n] + sum_of(p, v, operands[0], operands[1], pixel, n, depthwise);
            const size_t at = pixel * (size_t)p->geometry.out_c + n;
            float y = (float)(int32_t)sum;
            if (row_scales) y *= row_scales[pixel];
            y *= m[n];
            if (bias) y += bias[n];
            if (residual)
                y += p->real_output ? ((const float *)residual)[at]
                                    : (float)(((const int8_t *)residual)[at] - p->residual_zero) * p->residual_scale;
            if (p->real_output) ((float *)*next)[at] = ck_activate_f32(y, &p->activation);
            else ((int8_t *)*next)[at] = quantize(y, &p->to);
        }
}

void ck_product8_reference(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    (void)lane;
    const ck_product8_params *p = params;
    const product_view v = product_view_of(&p->geometry);
    for (size_t unit = begin; unit < end; unit++) {
        const size_t chunk = unit % v.chunks, group = unit / v.chunks % (size_t)p->geometry.groups;
        const size_t block = unit / v.chunks / (size_t)p->geometry.groups;
        const size_t first = chunk * v.chunk * CK_PANEL, channel = group * v.columns + first;
        pixels_of(p, &v, operands, product_block(&v, block), product_block(&v, block + 1), channel,
                  channel + product_min(v.chunk * CK_PANEL, v.columns - first), 0);
    }
}

void ck_depthwise8_reference(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    (void)lane;
    const ck_product8_params *p = params;
    const product_view v = product_view_of(&p->geometry);
    const size_t row = (size_t)p->geometry.out_w;
    pixels_of(p, &v, operands, begin * row, end * row, 0, (size_t)p->geometry.out_c, 1);
}
