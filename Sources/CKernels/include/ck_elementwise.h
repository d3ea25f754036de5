/* Element by element: functions of one, two or three tensors.
 *
 * A unit is CK_BLOCK consecutive elements of the output, the last one shorter. An output may be exactly
 * an input of its shape and element size (in place). f32 has every instruction set; other types run the
 * reference. */
#ifndef CK_ELEMENTWISE_H
#define CK_ELEMENTWISE_H

#include "ck.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CK_BLOCK 1024

typedef enum {
    CK_UNARY_NEG = 0,
    CK_UNARY_ABS = 1,
    CK_UNARY_SIGN = 2, /* −1, 1, or x itself where it is ±0 or NaN */
    CK_UNARY_SQUARE = 3,
    CK_UNARY_RECIPROCAL = 4,
    CK_UNARY_SQRT = 5,
    CK_UNARY_EXP = 6,
    CK_UNARY_LOG = 7,
    CK_UNARY_SIN = 8,
    CK_UNARY_COS = 9,
    CK_UNARY_ERF = 10,
    CK_UNARY_FLOOR = 11,
    CK_UNARY_CEIL = 12,
    CK_UNARY_ROUND = 13, /* halves to even */
    CK_UNARY_NOT = 14,
    CK_UNARY_ACTIVATION = 16, /* CK_UNARY_ACTIVATION + a ck_activation, from CK_ACT_RELU on */
    CK_UNARY_OPS = 32
} ck_unary_op;

/* operands: x, y. alpha and beta are those of ck_activation_params; clip is exact in every type that
 * holds its bounds, and over integers rounds alpha up and beta down. */
typedef struct {
    int64_t count;
    double alpha, beta;
} ck_unary_params;

size_t ck_unary_units(const ck_unary_params *params);

/* f32 and f64 for all but NOT; CK_BOOL for NOT; i32 and i64 for neg, abs, sign, square, relu and clip, where
 * arithmetic wraps. */
ck_task ck_unary(ck_unary_op op, ck_dtype dtype, ck_isa isa);

/* dx = dy · f′(x) for the activation f. operands: x, dy, dx.
 *   relu x > 0 · relu6 0 < x < 6 · clip alpha ≤ x ≤ beta     dy there, 0 elsewhere and where x is NaN
 *   leaky_relu   x > 0 ? 1 : alpha
 *   elu          x > 0 ? 1 : alpha·e^x
 *   sigmoid      s·(1 − s)                  s = sigmoid(x)
 *   tanh         4·t / (1 + t)²             t = e^(−2|x|); which is 1 − tanh²
 *   gelu         Φ(x) + x·φ(x)              φ(x) = e^(−x²/2) / √2π
 *   gelu_tanh    s + x·s·(1 − s)·v′         s = sigmoid(v), v = 2·√(2/π)·(x + 0.044715·x³)
 *   silu         s·(1 + x·(1 − s))
 *   hard_swish   0 below −3, 1 above 3, (2x + 3) / 6 between
 *   softplus     sigmoid(x)
 * Params and units are those of ck_unary. f32, f64. */
ck_task ck_activation_gradient(ck_activation kind, ck_dtype dtype, ck_isa isa);

typedef enum {
    CK_BINARY_ADD = 0,
    CK_BINARY_SUB = 1,
    CK_BINARY_MUL = 2,
    CK_BINARY_DIV = 3, /* integers: toward zero; x / 0 = 0; lowest / −1 wraps to lowest */
    CK_BINARY_MAX = 4, /* NaN where either operand is */
    CK_BINARY_MIN = 5,
    CK_BINARY_POW = 6, /* integers: wraps; a negative exponent gives 0, but ±1 for the bases ±1 */
    CK_BINARY_MOD = 7, /* a − b·⌊a / b⌋, with the sign of b; integers: x mod 0 = 0 */
    CK_BINARY_EQ = 8,
    CK_BINARY_NE = 9,
    CK_BINARY_LT = 10,
    CK_BINARY_LE = 11,
    CK_BINARY_GT = 12,
    CK_BINARY_GE = 13,
    CK_BINARY_AND = 14, /* bit by bit; of bool, integers */
    CK_BINARY_OR = 15,
    CK_BINARY_XOR = 16,
    CK_BINARY_OPS = 17
} ck_binary_op;

/* operands: a, b, y. y is contiguous in `size`; the strides of a and b are in elements, 0 along a broadcast
 * axis. Rank 0 is one element. Long innermost axes with strides of 0 or 1 run fastest. */
typedef struct {
    int32_t rank;
    int64_t size[CK_MAX_RANK], a_stride[CK_MAX_RANK], b_stride[CK_MAX_RANK];
} ck_binary_params;

/* The params for contiguous a and b of these sizes, both written with `rank` axes (1 in front where shorter);
 * along each axis the sizes are equal or one of them is 1. Axes of 1 are dropped and neighbours merged, so
 * equal shapes come out with rank 1. */
ck_binary_params ck_binary_broadcast(int32_t rank, const int64_t *a_sizes, const int64_t *b_sizes);

size_t ck_binary_units(const ck_binary_params *params);

/* `dtype` is that of a and b. y has it too, or is CK_BOOL for comparisons.
 *   f32, f64             all but and, or, xor
 *   i8, u8, i32, i64     likewise; integer arithmetic wraps
 *   CK_BOOL              eq, ne, and, or, xor */
ck_task ck_binary(ck_binary_op op, ck_dtype dtype, ck_isa isa);

/* y = condition ? a : b. operands: condition (CK_BOOL), a, b, y. As ck_binary_params, with a third stride. */
typedef struct {
    int32_t rank;
    int64_t size[CK_MAX_RANK], condition_stride[CK_MAX_RANK], a_stride[CK_MAX_RANK], b_stride[CK_MAX_RANK];
} ck_where_params;

ck_where_params ck_where_broadcast(int32_t rank, const int64_t *condition_sizes, const int64_t *a_sizes,
                                   const int64_t *b_sizes);
size_t ck_where_units(const ck_where_params *params);

/* `dtype` is that of a, b and y: any of whole bytes. */
ck_task ck_where(ck_dtype dtype, ck_isa isa);

#ifdef __cplusplus
}
#endif
#endif
