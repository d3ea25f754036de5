/* The variants of Winograd's convolution that the choosers pick from. */
#ifndef CK_WINOGRAD_TASKS_H
#define CK_WINOGRAD_TASKS_H

#include "ck_winograd.h"
#include "conv_tasks.h"

CONV_TASK(winograd_f32_reference); CONV_TASK(winograd_f32_avx2); CONV_TASK(winograd_f32_avx512);
CONV_TASK(winograd_f64_reference);
CONV_TASK(winograd_input_gradient_f32_reference); CONV_TASK(winograd_input_gradient_f32_avx2);
CONV_TASK(winograd_input_gradient_f32_avx512); CONV_TASK(winograd_input_gradient_f64_reference);
CONV_TASK(winograd_pack_f32_reference); CONV_TASK(winograd_pack_f32_avx2); CONV_TASK(winograd_pack_f32_avx512);
CONV_TASK(winograd_pack_f64_reference);
#endif
