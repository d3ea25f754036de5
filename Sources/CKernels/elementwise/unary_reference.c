#include "elementwise_variants.h"

#include "../vector/scalar_math.h"

#define T float
#define NAME(base) base##_f32
#include "unary_reference.inc"
#undef T
#undef NAME

#define T double
#define NAME(base) base##_f64
#include "unary_reference.inc"
#undef T
#undef NAME

/* `bound` as an i64, at the nearest end where it lies outside. */
static int64_t saturate_i64(double bound) {
    return bound >= 0x1p63 ? INT64_MAX : bound > -0x1p63 ? (int64_t)bound : INT64_MIN;
}

#define UNARY(base, T, value)                                                                     \
    CK_TASK(base) {                                                                               \
        (void)lane;                                                                               \
        const ck_unary_params *p = params;                                                        \
        const int64_t low = saturate_i64(ceil(p->alpha)), high = saturate_i64(floor(p->beta));    \
        const T *from = operands[0];                                                              \
        T *to = operands[1];                                                                      \
        (void)low, (void)high;                                                                    \
        const size_t stop = ck_block_stop(end, p->count);                                         \
        for (size_t i = begin * CK_BLOCK; i < stop; i++) {                                        \
            const T x = from[i];                                                                  \
            to[i] = (T)(value);                                                                   \
        }                                                                                         \
    }

#define INTEGERS(suffix, T, U)                                           \
    UNARY(neg_##suffix, T, 0 - (U)x)                                     \
    UNARY(abs_##suffix, T, x < 0 ? 0 - (U)x : (U)x)                      \
    UNARY(sign_##suffix, T, (x > 0) - (x < 0))                           \
    UNARY(square_##suffix, T, (U)x *(U)x)                                \
    UNARY(relu_##suffix, T, x < 0 ? 0 : x)                               \
    UNARY(clip_##suffix, T, x < low ? (x > high ? high : low > high ? high : low) : x > high ? high : x) \
    ck_unary_table ck_unary_reference_##suffix = {                       \
        [CK_UNARY_NEG] = neg_##suffix,                                   \
        [CK_UNARY_ABS] = abs_##suffix,                                   \
        [CK_UNARY_SIGN] = sign_##suffix,                                 \
        [CK_UNARY_SQUARE] = square_##suffix,                             \
        [CK_UNARY_ACTIVATION + CK_ACT_RELU] = relu_##suffix,             \
        [CK_UNARY_ACTIVATION + CK_ACT_CLIP] = clip_##suffix};
INTEGERS(i32, int32_t, uint32_t)
INTEGERS(i64, int64_t, uint64_t)

UNARY(not_bool, uint8_t, !x)
ck_unary_table ck_unary_reference_bool = {[CK_UNARY_NOT] = not_bool};
