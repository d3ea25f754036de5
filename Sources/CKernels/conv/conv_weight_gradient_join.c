/* dW from the sums of its slices. */
#include "conv_gradient.h"
#include "conv_tasks.h"

/* CONV_PART elements at a time; `sum` becomes the n elements from `at` on of all slices, added in order. */
#define JOIN(name, T, CONV_PART)                                                                                      \
    static void name##_slices(const ck_conv_params *p, const T *sums, size_t at, size_t n, T *restrict sum) {         \
        const size_t slices = conv_gradient_slices(p), elements = conv_gradient_elements(p);                          \
        for (size_t i = 0; i < n; i++) sum[i] = sums[at + i];                                                         \
        for (size_t s = 1; s < slices; s++) {                                                                         \
            const T *restrict from = sums + s * elements + at;                                                        \
            for (size_t i = 0; i < n; i++) sum[i] += from[i];                                                         \
        }                                                                                                             \
    }                                                                                                                 \
    /* Gᵀ·M along one axis: n elements of six rows to three. */                                                       \
    static void name##_axis(const T *restrict m, size_t m_row, T *restrict to, size_t to_row, size_t n) {             \
        for (size_t i = 0; i < n; i++) {                                                                              \
            const T a = m[m_row + i], b = m[2 * m_row + i], c = m[3 * m_row + i], d = m[4 * m_row + i];               \
            const T near = (a + b) * (T)(-1.0 / 6), far = c + d;                                                      \
            to[i] = m[i] * (T)0.25 + near + far * (T)(1.0 / 24);                                                      \
            to[to_row + i] = (b - a) * (T)(1.0 / 6) + (c - d) * (T)(1.0 / 12);                                        \
            to[2 * to_row + i] = near + far * (T)(1.0 / 6) + m[5 * m_row + i];                                        \
        }                                                                                                             \
    }                                                                                                                 \
    /* Gᵀ·M·G of n weights from `at` on. */                                                                           \
    static void name##_winograd(const ck_conv_params *p, const T *sums, size_t at, size_t n, T *dw) {                 \
        enum { SIDE = WINOGRAD_GRADIENT_SIDE };                                                                       \
        const size_t count = (size_t)p->in_c * (size_t)p->out_c;                                                      \
        T m[SIDE * SIDE][CONV_PART], half[3 * SIDE][CONV_PART], w[9][CONV_PART];                                      \
        for (size_t point = 0; point < SIDE * SIDE; point++) name##_slices(p, sums, point * count + at, n, m[point]); \
        for (size_t x = 0; x < SIDE; x++) name##_axis(m[x], SIDE * CONV_PART, half[x], SIDE * CONV_PART, n);          \
        for (size_t y = 0; y < 3; y++) name##_axis(half[SIDE * y], CONV_PART, w[3 * y], CONV_PART, n);                \
        for (size_t tap = 0; tap < 9; tap++)                                                                          \
            for (size_t i = 0; i < n; i++) dw[tap * count + at + i] = w[tap][i];                                      \
    }                                                                                                                 \
    void name(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {                   \
        (void)lane;                                                                                                   \
        const size_t stop = conv_min(end * CONV_JOINED, conv_joined_elements(params));                                \
        for (size_t at = begin * CONV_JOINED; at < stop; at += CONV_PART) {                                           \
            const size_t n = conv_min(CONV_PART, stop - at);                                                          \
            if (((const ck_conv_params *)params)->winograd) name##_winograd(params, operands[0], at, n, operands[1]);                    \
            else name##_slices(params, operands[0], at, n, (T *)operands[1] + at);                                    \
        }                                                                                                             \
    }

static size_t conv_joined_elements(const ck_conv_params *p) {
    return p->winograd ? (size_t)p->in_c * (size_t)p->out_c : conv_gradient_elements(p);
}
size_t ck_conv_weight_gradient_join_units(const ck_conv_params *p) {
    return conv_ceil(conv_joined_elements(p), CONV_JOINED);
}

JOIN(conv_weight_gradient_join_f32, float, 64)
JOIN(conv_weight_gradient_join_f64, double, 32)
