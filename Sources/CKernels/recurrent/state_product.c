/* Products of a state with weights of integers. */
#include "../include/ck_quantized.h"
#include "recurrent_variants.h"

static ck_product8_params product_of(const ck_recurrent_params *p, int64_t rows) {
    const int32_t n = (int32_t)p->hidden, m = (int32_t)rows;
    ck_product8_params product = {
        .geometry = {.batch = 1, .in_h = 1, .out_h = 1, .kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1, .dilation_h = 1,
                     .dilation_w = 1, .groups = 1, .in_w = m, .out_w = m, .in_c = n,
                     .out_c = (int32_t)(ck_recurrent_gates(p->cell) * n)},
        .real_output = 1, .has_row_scales = 1,
    };
    product.lane_bytes = (int64_t)ck_product8_lane_bytes(&product, (ck_isa)p->integer_isa);
    return product;
}

static size_t rounded(int64_t bytes) { return (size_t)(bytes + 63) / 64 * 64; }

/* Of codes, scales and offsets. */
static size_t own_bytes(const ck_recurrent_params *p, int64_t rows) {
    return rounded(rows * p->hidden) + rounded(rows * (int64_t)sizeof(float)) +
           rounded(ck_recurrent_gates(p->cell) * p->hidden * (int64_t)sizeof(int32_t));
}

ck_state_room ck_state_room_of(const ck_recurrent_params *p, int64_t rows, char *room) {
    const size_t codes = rounded(rows * p->hidden), scales = rounded(rows * (int64_t)sizeof(float));
    return (ck_state_room){(int8_t *)room, (float *)(room + codes), (int32_t *)(room + codes + scales), room + own_bytes(p, rows)};
}

size_t ck_state_product_bytes(const ck_recurrent_params *p, int64_t rows) {
    return own_bytes(p, rows) + (p->integers == CK_STATE_CODES ? (size_t)product_of(p, rows).lane_bytes : 0);
}

void ck_state_codes(const ck_recurrent_params *p, const float *a, int64_t rows, const ck_state_room *to) {
    const ck_quantize_rows_params codes = {rows, p->hidden};
    void *operands[] = {(void *)a, to->codes, to->scales};
    ck_quantize_rows((ck_isa)p->isa)(&codes, operands, 0, (size_t)rows, 0);
}

void ck_state_product(const ck_recurrent_params *p, void *const *weights, const float *a, int64_t rows, char *room, float *to) {
    const ck_isa isa = (ck_isa)p->isa, integer_isa = (ck_isa)p->integer_isa;
    const ck_state_room at = ck_state_room_of(p, rows, room);
    void *x = (void *)a;
    if (p->integers != CK_STATE_WEIGHTS) {
        ck_state_codes(p, a, rows, &at);
        x = at.codes;
    }
    if (p->integers == CK_STATE_CODES) {
        const ck_product8_params product = product_of(p, rows);
        void *operands[] = {x, weights[0], weights[1], weights[2], at.scales, to, at.rest};
        ck_product8(&product, integer_isa)(&product, operands, 0, ck_product8_units(&product, integer_isa), 0);
        return;
    }
    const ck_weight_only_params product = {
        .m = rows, .n = ck_recurrent_gates(p->cell) * p->hidden, .k = p->hidden, .block = p->weight_block, .has_zeros = p->has_zeros};
    void *operands[6] = {x, weights[0], weights[1]}, **next = operands + 3;
    if (p->integers == CK_STATE_NARROW_CODES) *next++ = at.scales;
    if (p->has_zeros) *next++ = weights[2];
    *next = to;
    const ck_task task = p->integers == CK_STATE_WEIGHTS ? ck_weight_only((ck_dtype)p->weights, isa) : ck_weight_only_codes(isa);
    task(&product, operands, 0, ck_weight_only_units(&product), 0);
}
