/* Products of reals by integer weights: the definition. */
#include <math.h>

#include "../gemm/half.h"
#include "../vector/scalar_math.h"
#include "codes_tasks.h"
#include "weight_only_view.h"

static void weight_only(
    const ck_weight_only_params *p, void *const *operands, size_t begin, size_t end, int i4, int of_codes
) {
    const uint16_t *scales = operands[2];
    void *const *next = operands + 3;
    const float *row_scales = of_codes ? *next++ : NULL;
    const int8_t *zeros = p->has_zeros ? *next++ : NULL;
    const float *bias = p->has_bias ? *next++ : NULL, *residual = p->has_residual ? *next++ : NULL;
    const size_t k = (size_t)p->k, n = (size_t)p->n, block = (size_t)p->block;
    for (size_t unit = begin; unit < end; unit++) {
        const weight_block u = weight_block_of(p, unit);
        for (size_t row = u.row; row < u.row + u.rows; row++)
            for (size_t column = u.panel * CK_PANEL; column < n && column < (u.panel + u.panels) * CK_PANEL; column++) {
                const float *x = (const float *)operands[0] + row * k;
                const int8_t *q = (const int8_t *)operands[0] + row * k;
                const uint8_t *w = (const uint8_t *)operands[1] + column / CK_PANEL * weight_panel_bytes(p, i4);
                const size_t c = column % CK_PANEL;
                float y = 0;
                for (size_t first = 0; first < k; first += block) {
                    const size_t at = first / block * n + column;
                    float sum = 0;
                    int32_t exact = 0;
                    for (size_t i = first; i < k && i < first + block; i++) {
                        const size_t element = (i / 4 * CK_PANEL + c) * 4 + i % 4;
                        int32_t weight = i4 ? (w[element / 2] >> 4 * (element % 2) & 15) : (int8_t)w[element];
                        if (i4 && weight > 7) weight -= 16;
                        if (zeros) weight -= zeros[at];
                        if (of_codes) exact += q[i] * weight;
                        else sum = fmaf(x[i], (float)weight, sum);
                    }
                    y = fmaf(of_codes ? (float)exact : sum, half_to_f32(scales[at]), y);
                }
                if (of_codes) y *= row_scales[row];
                if (bias) y += bias[column];
                if (residual) y += residual[row * n + column];
                ((float *)*next)[row * n + column] = ck_activate_f32(y, &p->activation);
            }
    }
}

void ck_weight_only_i8_reference(const void *p, void *const *operands, size_t begin, size_t end, unsigned lane) {
    (void)lane;
    weight_only(p, operands, begin, end, 0, 0);
}
void ck_weight_only_i4_reference(const void *p, void *const *operands, size_t begin, size_t end, unsigned lane) {
    (void)lane;
    weight_only(p, operands, begin, end, 1, 0);
}
void ck_weight_only_codes_reference(const void *p, void *const *operands, size_t begin, size_t end, unsigned lane) {
    (void)lane;
    weight_only(p, operands, begin, end, 1, 1);
}

static void gather_row(const uint8_t *from, int i4, size_t count, float scale, float *y) {
    for (size_t i = 0; i < count; i++) {
        int32_t code = i4 ? from[i / 2] >> 4 * (i % 2) & 15 : (int8_t)from[i];
        if (i4 && code > 7) code -= 16;
        y[i] = scale * (float)code;
    }
}
#define GATHER_NAME(base) base##_reference
#include "weight_only_gather.inc"
