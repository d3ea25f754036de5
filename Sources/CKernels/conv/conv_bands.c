/* Two convolutions, band by band. */
#include <string.h>

#include "../include/ck_conv_bands.h"
#include "conv_view.h"

_Static_assert(sizeof(ck_conv_bands_params) <= CK_PARAMS_MAX, "two convolutions' params take the room of one");

#define BAND_SCRATCH (96 * 1024) /* elements between the two that are in work */

static size_t line_of(const ck_conv_params *p) { return (size_t)p->in_w * (size_t)p->in_c; }
/* Lines that one line of the result reads, padding counted. */
static size_t reach_of(const ck_conv_params *p) { return (size_t)(p->kernel_h - 1) * (size_t)p->dilation_h + 1; }

/* Elements of one lane. */
static size_t scratch_of(const ck_conv_params *second) {
    const size_t least = conv_min(reach_of(second), (size_t)second->in_h) * line_of(second);
    return conv_ceil(least > BAND_SCRATCH ? least : BAND_SCRATCH, 16) * 16;
}

/* Bands of an image: as few as the scratch allows, and an even number, for two threads. */
static size_t bands_of(const ck_conv_params *second) {
    const size_t lines = scratch_of(second) / line_of(second), reach = reach_of(second), rows = (size_t)second->out_h;
    const size_t bands = conv_ceil(rows, lines > reach ? (lines - reach) / (size_t)second->stride_h + 1 : 1);
    return conv_min(bands + bands % 2, rows);
}

/* Makes `band` the convolution of the lines first ..< last of one image's result; the line of X that it begins with. What lies
 * wholly below X has a negative padding above one line of it. */
static int32_t cut(ck_conv_params *band, const ck_conv_params *p, int32_t first, int32_t last) {
    const int32_t start = first * p->stride_h - p->pad_top;
    const int32_t stop = (last - 1) * p->stride_h - p->pad_top + (int32_t)reach_of(p);
    const int32_t low = start < 0 ? 0 : start < p->in_h ? start : p->in_h - 1;
    band->batch = 1;
    band->in_h = (stop > p->in_h ? p->in_h : stop > low ? stop : low + 1) - low;
    band->pad_top = low - start;
    band->out_h = last - first;
    return low;
}

void ck_conv_bands(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    const ck_conv_bands_params *p = params;
    const ck_conv_params *first = &p->first.convolution, *second = &p->second;
    const int product = p->is_product, between = 2 + (product ? p->first.product.has_bias : first->has_bias);
    const int result = between + 3 + second->has_bias;
    const size_t bands = bands_of(second), line = line_of(second), rows = (size_t)second->out_h;
    const size_t first_line = product ? (size_t)second->in_w * (size_t)p->first.product.k : line_of(first);
    const size_t first_height = (size_t)(product ? second : first)->in_h;
    float *scratch = (float *)operands[between] + lane * scratch_of(second);
    ck_conv_bands_params band = *p;
    void *at[9];
    memcpy(at, operands, (size_t)(result + 1) * sizeof *at);
    at[between + 1] = scratch;
    int32_t from = 0, done = 0; /* lines that the scratch holds */
    for (size_t unit = begin; unit < end; unit++) {
        const size_t image = unit / bands, index = unit % bands, top = index * rows / bands;
        const int32_t low = cut(&band.second, second, (int32_t)top, (int32_t)((index + 1) * rows / bands));
        const int32_t high = low + band.second.in_h;
        int32_t next = low; /* the first line that is not there */
        if (index > 0 && done > low) {
            memmove(scratch, scratch + (size_t)(low - from) * line, (size_t)(done - low) * line * sizeof(float));
            next = done;
        }
        if (next < high) {
            at[between] = scratch + (size_t)(next - low) * line;
            int32_t above = next;
            size_t units;
            if (product) {
                band.first.product.m = (int64_t)(high - next) * second->in_w;
                units = ck_gemm_units(&band.first.product);
            } else {
                above = cut(&band.first.convolution, first, next, high);
                units = ck_conv_units(&band.first.convolution);
            }
            at[0] = (float *)operands[0] + (image * first_height + (size_t)above) * first_line;
            p->first_task(&band.first, at, 0, units, lane);
        }
        at[result] = (float *)operands[result] + (image * rows + top) * (size_t)second->out_w * (size_t)second->out_c;
        p->second_task(&band.second, at + between + 1, 0, ck_depthwise_units(&band.second), lane);
        from = low;
        done = high;
    }
}

intptr_t ck_conv_bands_scratch(const void *second_params, intptr_t *units) {
    const ck_conv_params *second = second_params;
    if (second->groups == 1 || second->groups != second->in_c) return 0;
    *units = (intptr_t)((size_t)second->batch * bands_of(second));
    return (intptr_t)(scratch_of(second) * sizeof(float));
}

intptr_t ck_conv_bands_join(void *params, ck_task second, const void *first_params, ck_task first, int is_product) {
    ck_conv_bands_params p = {.first_task = first, .second_task = second, .is_product = is_product};
    memcpy(&p.first, first_params, sizeof p.first);
    memcpy(&p.second, params, sizeof p.second);
    memcpy(params, &p, sizeof p);
    intptr_t units;
    ck_conv_bands_scratch(&p.second, &units);
    return units;
}
