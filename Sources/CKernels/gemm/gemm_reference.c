#include "gemm_variants.h"

#include <math.h>

#include "../vector/scalar_math.h"
#include "gemm_grid.h"
#include "half.h"

static float same_f32(float x) { return x; }
static float code_to_f32(int8_t x) { return x; }
static double same_f64(double x) { return x; }

#define REFERENCE(NAME, T, B, WIDEN, FMA, ACTIVATE)                                                      \
    void NAME(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {      \
        (void)lane;                                                                                      \
        const ck_gemm_params *p = params;                                                                \
        const T *a = *operands++;                                                                        \
        const int plain = CK_IS_TRAINING && p->reads_plain;                                              \
        const B *b = CK_IS_TRAINING && p->has_plain ? *operands++ : NULL, *panels = *operands++;         \
        if (!plain) b = panels;                                                                          \
        const int64_t panel = plain ? CK_PANEL : CK_PANEL * gemm_panel_rows(p);                          \
        const int64_t row = plain ? p->n : CK_PANEL;                                                     \
        const T *bias = p->has_bias ? *operands++ : NULL;                                                \
        const T *residual = p->has_residual ? *operands++ : NULL;                                        \
        const T *start = p->has_start ? *operands++ : NULL;                                              \
        T *c = *operands;                                                                                \
        gemm_grid grid = gemm_grid_of(p);                                                                \
        for (size_t unit = begin; unit < end; unit++) {                                                  \
            gemm_block u = gemm_block_at(p, &grid, unit);                                                \
            int64_t column_end = gemm_min(u.panel_end * CK_PANEL, p->n);                                 \
            for (int64_t i = u.row; i < u.row_end; i++)                                                  \
                for (int64_t j = u.panel * CK_PANEL; j < column_end; j++) {                              \
                    const T *x = a + u.batch * p->a_batch_stride + i * p->a_row_stride;                  \
                    const B *w = b + u.batch * p->b_batch_stride + j / CK_PANEL * panel + j % CK_PANEL;  \
                    int64_t at = u.batch * p->c_batch_stride + i * p->c_row_stride + j;                  \
                    const int64_t start_at = u.batch * p->c_batch_stride + i * p->start_row_stride + j;  \
                    T chains[2] = {start ? start[start_at] : p->accumulate ? c[at] : 0, 0};              \
                    for (int64_t k = 0; k < p->k; k++) {                                                 \
                        T *chain = &chains[p->paired ? k % 2 : 0];                                       \
                        *chain = FMA(x[k * p->a_k_stride], WIDEN(w[k * row]), *chain);                   \
                    }                                                                                    \
                    T sum = p->paired ? chains[0] + chains[1] : chains[0];                               \
                    if (bias) sum += bias[j];                                                            \
                    if (residual) sum += residual[at];                                                   \
                    c[at] = ACTIVATE(sum, &p->activation);                                               \
                }                                                                                        \
        }                                                                                                \
    }

REFERENCE(ck_gemm_f32_reference, float, float, same_f32, fmaf, ck_activate_f32)
REFERENCE(ck_gemm_f16_reference, float, uint16_t, half_to_f32, fmaf, ck_activate_f32)
REFERENCE(ck_gemm_bf16_reference, float, uint16_t, bf16_to_f32, fmaf, ck_activate_f32)
REFERENCE(ck_gemm_i8_reference, float, int8_t, code_to_f32, fmaf, ck_activate_f32)
REFERENCE(ck_gemm_f64_reference, double, double, same_f64, fma, ck_activate_f64)
