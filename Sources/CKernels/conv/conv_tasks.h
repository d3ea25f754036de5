/* The variants the choosers pick from. */
#ifndef CK_CONV_TASKS_H
#define CK_CONV_TASKS_H

#include "ck_conv.h"

#define CONV_TASK(name) void name(const void *, void *const *, size_t, size_t, unsigned)
#define CONV_TASKS(base, isa)                                                              \
    CONV_TASK(base##_f32_##isa); CONV_TASK(base##_f16_##isa); CONV_TASK(base##_bf16_##isa)

#define CONV_FAMILY(isa)                                                                   \
    CONV_TASKS(conv, isa); CONV_TASKS(conv_input_gradient, isa);                           \
    CONV_TASKS(depthwise, isa); CONV_TASKS(depthwise_input_gradient, isa);                 \
    CONV_TASK(conv_weight_gradient_f32_##isa); CONV_TASK(depthwise_weight_gradient_f32_##isa)

CONV_FAMILY(reference);
CONV_FAMILY(avx2);
CONV_FAMILY(avx512);
CONV_TASK(conv_f64_reference); CONV_TASK(conv_input_gradient_f64_reference);
CONV_TASK(depthwise_f64_reference); CONV_TASK(depthwise_input_gradient_f64_reference);
CONV_TASK(conv_weight_gradient_f64_reference); CONV_TASK(depthwise_weight_gradient_f64_reference);
CONV_TASK(conv_weight_gradient_join_f32); CONV_TASK(conv_weight_gradient_join_f64);

/* Whether a depthwise task computes from whole lines of X, where lines of X and Y have up to so many pixels, whatever their number is now:
 * padding that follows from it is narrower than the kernel, other padding stays as it is. */
int conv_takes_lines(const ck_conv_params *p, ck_task task, intptr_t x_pixels, intptr_t y_pixels);
#endif
