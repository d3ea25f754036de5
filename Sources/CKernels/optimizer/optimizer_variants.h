/* What the files of this folder share; nobody else includes it. */
#ifndef CK_OPTIMIZER_VARIANTS_H
#define CK_OPTIMIZER_VARIANTS_H
#include "../elementwise/flat.h"
#include "../include/ck_optimizer.h"
#include "../vector/flush.h"

#include <math.h>

typedef const ck_task ck_optimizer_table[CK_OPTIMIZERS];
enum { NORM_SUM_SQUARES, NORM_CLIP, NORM_OPS };
typedef const ck_task ck_norm_table[NORM_OPS];
extern ck_optimizer_table ck_optimizer_reference_f32, ck_optimizer_reference_f64;
extern ck_norm_table ck_norm_reference_f32, ck_norm_reference_f64;
#if defined(__x86_64__)
extern ck_optimizer_table ck_optimizer_avx2, ck_optimizer_avx512;
extern ck_norm_table ck_norm_avx2, ck_norm_avx512;
#endif

/* The operands of an optimizer with this many slots. */
typedef struct {
    const void *p, *g, *slot[2];
    double rate;
    int64_t step;
    void *p_out, *slot_out[2];
} optimizer_operands;

static inline optimizer_operands optimizer_operands_of(void *const *operands, int32_t slots) {
    optimizer_operands o = {.p = operands[0], .g = operands[1]};
    for (int32_t s = 0; s < slots; s++) o.slot[s] = operands[2 + s], o.slot_out[s] = operands[5 + slots + s];
    o.rate = (double)*(const float *)operands[2 + slots];
    o.step = *(const int64_t *)operands[3 + slots];
    o.p_out = operands[4 + slots];
    return o;
}

/* α of Adam. */
static inline double adam_rate(const ck_optimizer_params *p, const optimizer_operands *o) {
    const double t = (double)o->step;
    return o->rate * sqrt(1 - pow(p->beta2, t)) / (1 - pow(p->beta1, t));
}

/* What gradients are multiplied by: NaN for a norm that is not finite. */
static inline double clip_factor(double clip, double norm) { return (norm <= clip ? 1 : clip / norm) + (norm - norm); }
#endif
