/* The geometry, which every instruction set walks alike. */
#include "conv_view.h"

const float conv_zeros[CONV_ZEROS];

conv_view conv_view_of(const ck_conv_params *p, int gradient) {
    conv_view v = {0};
    v.batch = (size_t)p->batch;
    v.kernel_w = (size_t)p->kernel_w;
    v.taps = (size_t)p->kernel_h * (size_t)p->kernel_w;
    v.groups = (size_t)p->groups;
    v.gradient = gradient;
    v.fused = p->fused;
    v.source_h = (size_t)(gradient ? p->out_h : p->in_h);
    v.source_w = (size_t)(gradient ? p->out_w : p->in_w);
    v.source_c = (size_t)(gradient ? p->out_c : p->in_c);
    v.result_h = (size_t)(gradient ? p->in_h : p->out_h);
    v.result_w = (size_t)(gradient ? p->in_w : p->out_w);
    v.result_c = (size_t)(gradient ? p->in_c : p->out_c);
    v.depth = v.source_c / v.groups;
    v.columns = v.result_c / v.groups;
    v.phases_y = gradient ? (p->stride_h < p->in_h ? p->stride_h : p->in_h) : 1;
    v.phases_x = gradient ? (p->stride_w < p->in_w ? p->stride_w : p->in_w) : 1;
    return v;
}

static conv_axis conv_axis_forward(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation,
                                   int32_t pad) {
    return (conv_axis){.count = out, .first = 0, .step = 1, .taps = kernel, .tap_first = 0, .tap_step = 1,
                       .stride = stride, .base = -pad, .move = dilation, .size = in};
}

/* Input coordinate f + stride·i meets tap k where f + pad − k·dilation is a multiple of the stride. */
static conv_axis conv_axis_gradient(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation,
                                    int32_t pad, int32_t f) {
    int32_t a = stride, b = dilation; /* the period of the taps: stride / gcd(stride, dilation) */
    while (b != 0) { int32_t r = a % b; a = b; b = r; }
    int32_t period = stride / a, first = 0;
    int64_t at = (int64_t)f + pad;
    while (first < period && first < kernel && (at - (int64_t)first * dilation) % stride != 0) first++;
    int found = first < period && first < kernel;
    return (conv_axis){
        .count = (in - f + stride - 1) / stride, .first = f, .step = stride,
        .taps = found ? (kernel - first + period - 1) / period : 0, .tap_first = first, .tap_step = period,
        .stride = 1, .base = found ? (int32_t)((at - (int64_t)first * dilation) / stride) : 0,
        .move = -(dilation / a), .size = out};
}

conv_phase conv_phase_at(const conv_view *v, const ck_conv_params *p, int fy, int fx) {
    conv_phase phase;
    if (v->gradient) {
        phase.y = conv_axis_gradient(p->in_h, p->out_h, p->kernel_h, p->stride_h, p->dilation_h, p->pad_top, fy);
        phase.x = conv_axis_gradient(p->in_w, p->out_w, p->kernel_w, p->stride_w, p->dilation_w, p->pad_left, fx);
    } else {
        phase.y = conv_axis_forward(p->in_h, p->out_h, p->kernel_h, p->stride_h, p->dilation_h, p->pad_top);
        phase.x = conv_axis_forward(p->in_w, p->out_w, p->kernel_w, p->stride_w, p->dilation_w, p->pad_left);
    }
    phase.pixels = v->batch * (size_t)phase.y.count * (size_t)phase.x.count;
    return phase;
}

ck_cell depthwise_cell_at(const conv_view *v, const conv_phase *phase, size_t unit) {
    const size_t lines = v->batch * (size_t)phase->y.count;
    const size_t parts = 2 * conv_ceil(phase->pixels * v->result_c, 2 * DEPTHWISE_STRETCH) - v->source_h % 2;
    const size_t stretches = v->fused ? (size_t)v->fused * v->batch : parts;
    return ck_cell_at(unit, lines, conv_ceil(v->result_c, CONV_COLUMNS), conv_min(stretches, lines));
}

size_t conv_block_at(const conv_view *v, const conv_phase *phase, size_t unit, size_t units, conv_block *block) {
    const size_t tiles = conv_ceil(phase->pixels, CONV_TILE), in_group = conv_ceil(v->columns, CONV_COLUMNS);
    const size_t source = v->batch * v->source_h * v->source_w * v->source_c, weights = v->taps * v->depth * v->result_c;
    size_t stretches = conv_ceil(tiles, CONV_STRETCH); /* an even number where weights are less than pixels */
    if (stretches > 1 && weights <= source + phase->pixels * v->result_c) stretches += stretches % 2;
    const ck_cell cell = ck_cell_at(unit, tiles, v->groups * in_group, stretches);
    const size_t covered = conv_min(units, cell.left), chunk = cell.column;
    block->pixel = cell.row * CONV_TILE;
    block->pixels = conv_min(covered * CONV_TILE, phase->pixels - block->pixel);
    block->group = chunk / in_group;
    block->column = chunk % in_group * CONV_COLUMNS;
    block->columns = conv_min(CONV_COLUMNS, v->columns - block->column);
    return covered;
}
