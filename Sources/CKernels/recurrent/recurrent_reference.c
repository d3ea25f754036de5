#include <string.h>

#include "../vector/compact.h"
#include "../vector/scalar_math.h"
#include "recurrent_variants.h"

static void rnn(const ck_activation_params *activation, float *gates, float *h, size_t n) {
    for (size_t j = 0; j < n; j++) h[j] = ck_activate_f32(gates[j], activation);
}
static void gru_reset(float *gates, const float *h, float *reset, size_t n) {
    for (size_t j = 0; j < n; j++) {
        gates[j] = ck_sigmoid_f32(gates[j]);
        gates[n + j] = ck_sigmoid_f32(gates[n + j]);
        reset[j] = gates[j] * h[j];
    }
}
static void gru(const float *gates, const float *product, float *h, size_t n) {
    for (size_t j = 0; j < n; j++) {
        const float z = gates[n + j], new = tanhf(gates[2 * n + j] + (product ? gates[j] * product[j] : 0));
        h[j] = new + z * (h[j] - new);
    }
}
static void lstm(const float *gates, float *h, float *c, size_t n) {
    for (size_t j = 0; j < n; j++) {
        const float i = ck_sigmoid_f32(gates[j]), f = ck_sigmoid_f32(gates[n + j]);
        c[j] = f * c[j] + i * tanhf(gates[2 * n + j]);
        h[j] = ck_sigmoid_f32(gates[3 * n + j]) * tanhf(c[j]);
    }
}

void ck_recurrent_reference(const void *p, void *const *o, size_t begin, size_t end, unsigned lane) {
    static const ck_recurrent_rows rows = {rnn, gru_reset, gru, lstm};
    ck_recurrent_run(p, o, begin, end, lane, &rows);
}
#include "../vector/end.h"
