/* What a fused convolution makes for the depthwise one. */
#include <string.h>

#include "conv_feed.h"
#include "conv_tasks.h"

_Static_assert(sizeof(ck_conv_fused_params) <= CK_PARAMS_MAX, "two convolutions' params take the room of one");

/* Shorter lines cost more to make one by one than to write and to read. */
#define CONV_FUSED_PIXELS 24

/* The first's operands, of which a bias may be absent; then its result. */
enum { FEED_X, FEED_WEIGHTS, FEED_BIAS };

static int32_t has_bias(const ck_conv_fused_params *p) {
    return p->is_product ? p->first.product.has_bias : p->first.convolution.has_bias;
}

size_t conv_feed_operands(const ck_conv_fused_params *p) { return FEED_BIAS + (size_t)has_bias(p) + 1; }

conv_feed conv_feed_of(const ck_conv_fused_params *p, void *const *operands, size_t c) {
    conv_feed feed = {.whole = p, .params = *p, .result = FEED_BIAS + (size_t)has_bias(p)};
    memcpy(feed.operands, operands, feed.result * sizeof *operands);
    size_t depth;
    if (p->is_product) {
        ck_gemm_params *product = &feed.params.first.product;
        depth = (size_t)product->k;
        product->m = p->second.in_w;
        product->n = (int64_t)conv_min((size_t)product->n - c, CONV_COLUMNS);
        product->c_row_stride = CONV_COLUMNS;
        feed.units = ck_gemm_units(product);
    } else {
        ck_conv_params *first = &feed.params.first.convolution;
        depth = (size_t)first->kernel_h * (size_t)first->kernel_w * (size_t)first->in_c;
        first->batch = first->out_h = 1;
        first->out_c = CONV_COLUMNS;
        feed.units = ck_conv_units(first);
    }
    const size_t weight = p->weights == CK_F32 ? sizeof(float) : sizeof(uint16_t);
    feed.operands[FEED_WEIGHTS] = (char *)operands[FEED_WEIGHTS] + c * depth * weight;
    if (feed.result > FEED_BIAS) feed.operands[FEED_BIAS] = (float *)operands[FEED_BIAS] + c;
    feed.x = operands[FEED_X];
    return feed;
}

void conv_feed_line(conv_feed *feed, size_t image, int32_t line, float *to) {
    size_t height = (size_t)feed->params.second.in_h, width = (size_t)feed->params.second.in_w, above = (size_t)line, channels;
    if (feed->params.is_product) {
        channels = (size_t)feed->params.first.product.k;
    } else {
        /* The convolution of the lines of X that this one reads. What lies wholly below X has a negative padding above one line. */
        const ck_conv_params *whole = &feed->whole->first.convolution;
        ck_conv_params *first = &feed->params.first.convolution;
        const int32_t start = line * whole->stride_h - whole->pad_top, stop = start + (whole->kernel_h - 1) * whole->dilation_h + 1;
        const int32_t low = start < 0 ? 0 : start < whole->in_h ? start : whole->in_h - 1;
        first->in_h = (stop > whole->in_h ? whole->in_h : stop > low ? stop : low + 1) - low;
        first->pad_top = low - start;
        height = (size_t)whole->in_h, width = (size_t)whole->in_w, channels = (size_t)whole->in_c;
        above = (size_t)low;
    }
    feed->operands[FEED_X] = (void *)(feed->x + (image * height + above) * width * channels);
    feed->operands[feed->result] = to;
    feed->params.first_task(&feed->params.first, feed->operands, 0, feed->units, 0);
}

int32_t ck_conv_fuses(const void *second, ck_task second_task, intptr_t x_pixels, intptr_t y_pixels, const void *first, int32_t is_product) {
    const ck_conv_params *c = first;
    return x_pixels >= CONV_FUSED_PIXELS && conv_takes_lines(second, second_task, x_pixels, y_pixels)
        && (is_product || (c->groups == 1 && c->out_c % CONV_COLUMNS == 0));
}

void ck_conv_fuse(void *second, const void *first, ck_task first_task, int32_t is_product, ck_dtype weights, intptr_t lanes) {
    ck_conv_fused_params p = {.first_task = first_task, .is_product = is_product, .weights = weights};
    memcpy(&p.first, first, sizeof p.first);
    memcpy(&p.second, second, sizeof p.second);
    p.second.fused = lanes > p.second.batch ? 2 : 1;
    memcpy(second, &p, sizeof p);
}
