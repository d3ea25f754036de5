/* The one rounding of integer inference, in plain C. */
#ifndef CK_QUANTIZED_QUANTIZE_H
#define CK_QUANTIZED_QUANTIZE_H

#include "ck_quantized.h"

/* v to the nearest integer, ties to even, for |v| < 2²². */
static inline int32_t nearest(float v) { return (int32_t)((v + 0x1.8p23f) - 0x1.8p23f); }

static inline int8_t quantize(float v, const ck_quantizer *to) {
    if (!(v > to->low)) v = to->low;
    if (!(v < to->high)) v = to->high;
    return (int8_t)(nearest(v) + to->zero);
}
#endif
