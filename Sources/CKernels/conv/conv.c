/* The choosers and the unit counts of convolution. */
#include "ck_conv.h"

#include "conv_gradient.h"
#include "conv_tasks.h"

typedef struct {
    ck_task f32, f16, bf16, f64;
} conv_row;

static ck_task choose(const conv_row *rows, ck_dtype dtype, ck_isa isa) {
    const conv_row *row = &rows[dtype == CK_F64 || isa > CK_ISA_AVX512 ? CK_ISA_REFERENCE : isa];
    switch (dtype) {
    case CK_F32: return row->f32;
    case CK_F16: return row->f16;
    case CK_BF16: return row->bf16;
    case CK_F64: return row->f64;
    default: return NULL;
    }
}

#if defined(__x86_64__)
#define VARIANT(base, isa) {base##_f32_##isa, base##_f16_##isa, base##_bf16_##isa, NULL}
#define GRADIENT_VARIANT(base, isa) {base##_f32_##isa, NULL, NULL, NULL}
#else
#define VARIANT(base, isa) {base##_f32_reference, base##_f16_reference, base##_bf16_reference, NULL}
#define GRADIENT_VARIANT(base, isa) {base##_f32_reference, NULL, NULL, NULL}
#endif
#define ROWS(base)                                                                                   \
    static const conv_row base##_rows[] = {                                                          \
        {base##_f32_reference, base##_f16_reference, base##_bf16_reference,                          \
         CK_F64_TASK(base##_f64_reference)},                                                         \
        VARIANT(base, avx2), VARIANT(base, avx512)}
#define GRADIENT_ROWS(base)                                                                          \
    static const conv_row base##_rows[] = {                                                          \
        {base##_f32_reference, NULL, NULL, CK_F64_TASK(base##_f64_reference)},                       \
        GRADIENT_VARIANT(base, avx2), GRADIENT_VARIANT(base, avx512)}

ROWS(conv);
ROWS(conv_input_gradient);
ROWS(depthwise);
ROWS(depthwise_input_gradient);
GRADIENT_ROWS(conv_weight_gradient);
GRADIENT_ROWS(depthwise_weight_gradient);

/* The vector variants of the depthwise loops hold one input channel per output channel, of kernels that fit on the stack. */
static ck_isa depthwise_isa(const ck_conv_params *p, ck_isa isa) {
    const int64_t reach = (int64_t)(p->kernel_w - 1) * p->dilation_w + 1;
    const int fits = (int64_t)p->kernel_h * p->kernel_w <= DEPTHWISE_TAPS && p->kernel_h * reach <= DEPTHWISE_PIXELS;
    return p->out_c == p->in_c && fits ? isa : CK_ISA_REFERENCE;
}

int conv_takes_lines(const ck_conv_params *p, ck_task task, intptr_t x_pixels, intptr_t y_pixels) {
    const conv_row *reference = &depthwise_rows[CK_ISA_REFERENCE];
    if (p->groups != p->in_c || p->out_c != p->in_c) return 0;
    if (task == reference->f32 || task == reference->f16 || task == reference->bf16) return 0;
    const int64_t reach = (int64_t)(p->kernel_w - 1) * p->dilation_w + 1;
    const int64_t made = x_pixels + (p->pad_left > reach ? p->pad_left : reach), read = p->stride_w * (y_pixels - 1) + reach;
    return p->kernel_h * (made > read ? made : read) <= DEPTHWISE_PIXELS;
}

ck_task ck_conv(const ck_conv_params *p, ck_dtype weights, ck_isa isa) {
    (void)p;
    return choose(conv_rows, weights, isa);
}
ck_task ck_conv_input_gradient(const ck_conv_params *p, ck_dtype weights, ck_isa isa) {
    (void)p;
    return choose(conv_input_gradient_rows, weights, isa);
}
ck_task ck_conv_weight_gradient(const ck_conv_params *p, ck_dtype dtype, ck_isa isa) {
    (void)p;
    return choose(conv_weight_gradient_rows, dtype, isa);
}
ck_task ck_conv_weight_gradient_join(ck_dtype dtype) {
    return dtype == CK_F32   ? conv_weight_gradient_join_f32
           : dtype == CK_F64 ? CK_F64_TASK(conv_weight_gradient_join_f64)
                             : NULL;
}
ck_task ck_depthwise(const ck_conv_params *p, ck_dtype weights, ck_isa isa) {
    return p->groups == p->in_c ? choose(depthwise_rows, weights, depthwise_isa(p, isa)) : NULL;
}
ck_task ck_depthwise_input_gradient(const ck_conv_params *p, ck_dtype weights, ck_isa isa) {
    return p->groups == p->in_c ? choose(depthwise_input_gradient_rows, weights, depthwise_isa(p, isa)) : NULL;
}
ck_task ck_depthwise_weight_gradient(const ck_conv_params *p, ck_dtype dtype, ck_isa isa) {
    return p->groups == p->in_c ? choose(depthwise_weight_gradient_rows, dtype, p->out_c == p->in_c ? isa : CK_ISA_REFERENCE) : NULL;
}

ck_copy_params ck_conv_pixels(const ck_conv_params *p) {
    const int64_t channels = p->in_c, from = p->in_w * channels, to = p->out_w * channels; /* to the next line */
    ck_copy_params copy = {
        .rank = 4, .size = {p->batch, p->out_h, p->out_w, channels},
        .source_stride = {p->in_h * from, p->stride_h * from, p->stride_w * channels, 1},
        .destination_stride = {p->out_h * to, to, channels, 1},
    };
    ck_copy_simplify(&copy);
    return copy;
}

int32_t ck_conv_pools(const ck_conv_params *p, ck_isa isa) {
    const int kind = p->activation.kind;
    const int limits = kind == CK_ACT_NONE || kind == CK_ACT_RELU || kind == CK_ACT_RELU6 || kind == CK_ACT_CLIP;
    return isa == CK_ISA_AVX512 && limits && !p->has_residual;
}
size_t ck_conv_units(const ck_conv_params *p) { return conv_count_units(p, 0, 0); }
size_t ck_conv_input_gradient_units(const ck_conv_params *p) { return conv_count_units(p, 1, 0); }
size_t ck_conv_weight_gradient_units(const ck_conv_params *p) {
    return conv_gradient_slices(p) * conv_gradient_grid_of(p, 0).units;
}
size_t ck_conv_weight_gradient_sums(const ck_conv_params *p) { return conv_gradient_slices(p) * conv_gradient_elements(p); }
size_t ck_conv_weight_gradient_scratch(const ck_conv_params *p) { return p->winograd ? winograd_gradient_scratch(p) : 0; }
size_t ck_depthwise_units(const ck_conv_params *p) { return conv_count_units(p, 0, 1); }
size_t ck_depthwise_input_gradient_units(const ck_conv_params *p) { return conv_count_units(p, 1, 1); }
size_t ck_depthwise_weight_gradient_units(const ck_conv_params *p) { return conv_gradient_grid_of(p, 1).units; }
