/* Updates of parameters from gradients, one pass each, and clipping by the global norm.
 *
 * The formulas are those of Keras 3 (keras/src/optimizers), but for the decay of SGD, which is L2. With
 * p the parameter, g its gradient, lr the learning rate and t = 1, 2, … the number of this update:
 *   sgd      g ← g + decay·p
 *            p ← p − lr·g                                              momentum = 0, no slot
 *            v ← momentum·v − lr·g;  p ← p + v                         one slot v
 *            v as above;             p ← p + momentum·v − lr·g         nesterov
 *   rmsprop  v ← rho·v + (1 − rho)·g²;  d = lr·g / √(v + epsilon)
 *            p ← p − d                                                 one slot v
 *            m ← momentum·m + d;  p ← p − m                            momentum ≠ 0, slots v, m
 *   adagrad  a ← a + g²;  p ← p − lr·g / √(a + epsilon)                one slot a
 *   adam     m ← m + (g − m)·(1 − beta1);  v ← v + (g² − v)·(1 − beta2)
 *            p ← p − α·m / (√v + epsilon),  α = lr·√(1 − beta2^t) / (1 − beta1^t)    slots m, v
 *   adamw    p ← p − p·decay·lr, then adam                             slots m, v
 * Every operation is rounded by itself: updates are the same bits on every instruction set. What is nearer to 0 than the least
 * normal number counts as 0, and so do results: averages of parameters that no gradient reaches any more would end there, where
 * arithmetic is slow.
 *
 * A unit is CK_BLOCK elements. */
#ifndef CK_OPTIMIZER_H
#define CK_OPTIMIZER_H

#include "ck.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    CK_SGD = 0, CK_RMSPROP = 1, CK_ADAGRAD = 2, CK_ADAM = 3, CK_ADAMW = 4, CK_OPTIMIZERS = 5
} ck_optimizer_kind;

/* operands: p, g, slots…, lr (scalar f32), t (scalar i64; read by adam and adamw), p out, slots out….
 * Each output may be exactly its input. Fields an optimizer does not name are not read. */
typedef struct {
    int64_t count;
    int32_t nesterov; /* 0 or 1 */
    double momentum, decay, rho, beta1, beta2, epsilon;
} ck_optimizer_params;

/* The number of slots: 0, 1 or 2. */
int32_t ck_optimizer_slots(ck_optimizer_kind kind, const ck_optimizer_params *params);
size_t ck_optimizer_units(const ck_optimizer_params *params);

/* f32 (reference, AVX2, AVX-512), f64 (reference; lr stays f32). */
ck_task ck_optimizer(ck_optimizer_kind kind, ck_dtype dtype, ck_isa isa);

typedef struct {
    int64_t count;
    double clip; /* the largest norm let through */
} ck_norm_params;

/* total ← before + Σ x². operands: x, before, total; the last two scalars of x's type, or the same one.
 * Blocks of CK_BLOCK elements are summed apart and added up in double, in order. There is one unit. */
ck_task ck_sum_squares(ck_dtype dtype, ck_isa isa);

/* y = x·min(1, clip / norm), norm = √total; NaN where norm is not finite. operands: x, total, y; y may be
 * exactly x. A unit is CK_BLOCK elements. */
size_t ck_clip_norm_units(const ck_norm_params *params);
ck_task ck_clip_norm(ck_dtype dtype, ck_isa isa);

#ifdef __cplusplus
}
#endif
#endif
