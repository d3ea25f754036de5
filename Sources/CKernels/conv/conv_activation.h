/* The activations that convolution applies, in scalars. */
#ifndef CK_CONV_ACTIVATION_H
#define CK_CONV_ACTIVATION_H
#include "ck.h"
static inline float ck_activate_f32(float x, const ck_activation_params *p) {
    return p->kind == CK_ACT_RELU && x < 0 ? 0 : x;
}
static inline double ck_activate_f64(double x, const ck_activation_params *p) {
    return p->kind == CK_ACT_RELU && x < 0 ? 0 : x;
}
#endif
