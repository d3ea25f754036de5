/* What the files of this folder share; nobody else includes it. */
#ifndef CK_ELEMENTWISE_VARIANTS_H
#define CK_ELEMENTWISE_VARIANTS_H
#include "flat.h"

#define CK_ACTIVATIONS 13 /* CK_ACT_NONE has no task */
#define CK_ACTIVATION_LIST(X)                                                                             \
    X(CK_ACT_RELU, relu) X(CK_ACT_RELU6, relu6) X(CK_ACT_LEAKY_RELU, leaky_relu) X(CK_ACT_ELU, elu)        \
    X(CK_ACT_SIGMOID, sigmoid) X(CK_ACT_TANH, tanh) X(CK_ACT_GELU, gelu) X(CK_ACT_GELU_TANH, gelu_tanh)    \
    X(CK_ACT_SILU, silu) X(CK_ACT_HARD_SWISH, hard_swish) X(CK_ACT_SOFTPLUS, softplus) X(CK_ACT_CLIP, clip)

typedef const ck_task ck_unary_table[CK_UNARY_OPS];
typedef const ck_task ck_gradient_table[CK_ACTIVATIONS];
typedef const ck_task ck_binary_table[CK_BINARY_OPS];
typedef const ck_task ck_where_table[4]; /* by log2 of the element size */

extern ck_unary_table ck_unary_reference_f32, ck_unary_reference_f64, ck_unary_reference_i32, ck_unary_reference_i64,
    ck_unary_reference_bool;
extern ck_gradient_table ck_gradient_reference_f32, ck_gradient_reference_f64;
extern ck_binary_table ck_binary_reference_f32, ck_binary_reference_f64, ck_binary_reference_i8, ck_binary_reference_u8,
    ck_binary_reference_i32, ck_binary_reference_i64, ck_binary_reference_bool;
extern ck_where_table ck_where_reference;
#if defined(__x86_64__)
extern ck_unary_table ck_unary_avx2, ck_unary_avx512;
extern ck_gradient_table ck_gradient_avx2, ck_gradient_avx512;
extern ck_binary_table ck_binary_avx2, ck_binary_avx512;
void ck_where4_avx2(const void *, void *const *, size_t, size_t, unsigned);
void ck_where4_avx512(const void *, void *const *, size_t, size_t, unsigned);
#endif

/* y[i] = f(a[i·a_stride], b[i·b_stride]) for i in 0 ..< n; each stride is 1 or, where an operand is broadcast, 0. */
typedef void (*ck_binary_row)(void *y, const void *a, int64_t a_stride, const void *b, int64_t b_stride, size_t n);
typedef void (*ck_where_row)(void *y, const uint8_t *condition, int64_t condition_stride, const void *a,
                             int64_t a_stride, const void *b, int64_t b_stride, size_t n);

/* Calls `row` for each run of units [begin, end) along the innermost axis; sizes of elements in bytes. */
void ck_binary_walk(const ck_binary_params *p, void *const *operands, size_t begin, size_t end, size_t in_size,
                    size_t out_size, ck_binary_row row);
void ck_where_walk(const ck_where_params *p, void *const *operands, size_t begin, size_t end, size_t size,
                   ck_where_row row);
#endif
