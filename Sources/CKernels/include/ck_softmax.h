/* Softmax over one axis, its logarithm, their gradients, and cross entropy from logits. */
#ifndef CK_SOFTMAX_H
#define CK_SOFTMAX_H

#include "ck.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    CK_SOFTMAX = 0,              /* x, y:      y = e^(x − m) / s,       m = max x, s = Σ e^(x − m) */
    CK_LOG_SOFTMAX = 1,          /* x, y:      y = x − m − log s */
    CK_SOFTMAX_GRADIENT = 2,     /* y, dy, dx: dx = y·(dy − Σ y·dy) */
    CK_LOG_SOFTMAX_GRADIENT = 3, /* y, dy, dx: dx = dy − e^y·Σ dy */
    CK_SOFTMAX_OPS = 4
} ck_softmax_op;

/* Operands as listed, all [outer, width, inner]; max and sums run over width. A NaN, a +inf, or nothing but
 * −inf makes a NaN of all results along its axis. The last operand may be exactly an earlier one.
 *
 * A unit is one row for inner = 1, else up to 16 neighbouring inner positions of one outer index. */
typedef struct {
    int64_t outer, width, inner;
} ck_softmax_params;

size_t ck_softmax_units(const ck_softmax_params *params);

/* f32 (reference, AVX2, AVX-512), f64 (reference). */
ck_task ck_softmax(ck_softmax_op op, ck_dtype dtype, ck_isa isa);

typedef enum {
    /* logits x, labels (i32 [rows]), loss [rows], probabilities where `extra` is 1:
     *   loss = m + log s − x[label],  probabilities = softmax x */
    CK_CROSS_ENTROPY_SPARSE = 0,
    /* x, labels, dloss [rows], dx: dx[k] = (q[k] − [k = label])·dloss, q = softmax x, or x itself where
     * `extra` is 1: x then holds the probabilities of the forward pass */
    CK_CROSS_ENTROPY_SPARSE_GRADIENT = 1,
    /* logits x, targets t [rows, width], loss, probabilities where `extra` is 1:
     *   loss = Σ t·(m + log s − x), a term being 0 where t = 0 */
    CK_CROSS_ENTROPY_DENSE = 2,
    /* x, t, dloss, dx: dx = (q·Σ t − t)·dloss, q as above */
    CK_CROSS_ENTROPY_DENSE_GRADIENT = 3,
    CK_CROSS_ENTROPY_OPS = 4
} ck_cross_entropy_op;

/* Operands as listed; x and dx are [rows, width]. A label outside 0 ..< width gives the loss NaN and the
 * gradient 0. dx or probabilities may be exactly x or t.
 *
 * A unit is one row. */
typedef struct {
    int64_t rows, width;
    int32_t extra;
} ck_cross_entropy_params;

size_t ck_cross_entropy_units(const ck_cross_entropy_params *params);

/* f32 (reference, AVX2, AVX-512), f64 (reference). */
ck_task ck_cross_entropy(ck_cross_entropy_op op, ck_dtype dtype, ck_isa isa);

#ifdef __cplusplus
}
#endif
#endif
