/* Every pair of types in two steps: widen to double or i64, which hold each source exactly, then narrow. */
#include "../gemm/half.h"
#include "cast_variants.h"

#include <math.h>

#define CHUNK 256

typedef union {
    double real[CHUNK];
    int64_t whole[CHUNK];
} wide;

/* x in f32 with the last bit set where that is inexact (round to odd): rounding it again, to fewer bits,
 * then gives what rounding x at once would. */
static float f32_to_odd(double x) {
    float f = (float)x;
    if (isnan(x) || (double)f == x) return f;
    uint32_t bits = f32_bits(f);
    if (fabs((double)f) > fabs(x)) bits--;
    return f32_from_bits(bits | 1);
}
static double f64_to_odd(int64_t x) {
    uint64_t magnitude = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    if (magnitude >> 53) magnitude = (magnitude & ~UINT64_C(0x7ff)) | (magnitude & 0x7ff ? 0x800 : 0);
    return x < 0 ? -(double)magnitude : (double)magnitude;
}
static int64_t saturate(double x, double low, double high, int64_t highest) {
    return isnan(x) ? 0 : x >= high ? highest : x <= low ? (int64_t)low : (int64_t)x;
}

static int is_real(ck_dtype t) { return t == CK_F32 || t == CK_F64 || t == CK_F16 || t == CK_BF16; }

#define EACH(value)                              \
    for (size_t i = 0; i < n; i++) value;        \
    break

CK_COMPACT static void widen(ck_dtype from, const void *x, size_t at, size_t n, wide *w) {
    switch (from) {
    case CK_F32: EACH(w->real[i] = (double)((const float *)x)[at + i]);
    case CK_F64: EACH(w->real[i] = ((const double *)x)[at + i]);
    case CK_F16: EACH(w->real[i] = (double)half_to_f32(((const uint16_t *)x)[at + i]));
    case CK_BF16: EACH(w->real[i] = (double)bf16_to_f32(((const uint16_t *)x)[at + i]));
    case CK_I8: EACH(w->whole[i] = ((const int8_t *)x)[at + i]);
    case CK_U8: EACH(w->whole[i] = ((const uint8_t *)x)[at + i]);
    case CK_I16: EACH(w->whole[i] = ((const int16_t *)x)[at + i]);
    case CK_U16: EACH(w->whole[i] = ((const uint16_t *)x)[at + i]);
    case CK_I32: EACH(w->whole[i] = ((const int32_t *)x)[at + i]);
    case CK_I64: EACH(w->whole[i] = ((const int64_t *)x)[at + i]);
    default: EACH(w->whole[i] = ((const uint8_t *)x)[at + i] != 0);
    }
}

CK_COMPACT static void narrow_real(ck_dtype to, void *y, size_t at, size_t n, const wide *w) {
    const double *x = w->real;
    switch (to) {
    case CK_F32: EACH(((float *)y)[at + i] = (float)x[i]);
    case CK_F64: EACH(((double *)y)[at + i] = x[i]);
    case CK_F16: EACH(((uint16_t *)y)[at + i] = half_from_f32(f32_to_odd(x[i])));
    case CK_BF16: EACH(((uint16_t *)y)[at + i] = bf16_from_f32(f32_to_odd(x[i])));
    case CK_I8: EACH(((int8_t *)y)[at + i] = (int8_t)saturate(x[i], INT8_MIN, INT8_MAX, INT8_MAX));
    case CK_U8: EACH(((uint8_t *)y)[at + i] = (uint8_t)saturate(x[i], 0, UINT8_MAX, UINT8_MAX));
    case CK_I16: EACH(((int16_t *)y)[at + i] = (int16_t)saturate(x[i], INT16_MIN, INT16_MAX, INT16_MAX));
    case CK_U16: EACH(((uint16_t *)y)[at + i] = (uint16_t)saturate(x[i], 0, UINT16_MAX, UINT16_MAX));
    case CK_I32: EACH(((int32_t *)y)[at + i] = (int32_t)saturate(x[i], INT32_MIN, INT32_MAX, INT32_MAX));
    case CK_I64: EACH(((int64_t *)y)[at + i] = saturate(x[i], -0x1p63, 0x1p63, INT64_MAX));
    default: EACH(((uint8_t *)y)[at + i] = x[i] != 0);
    }
}

CK_COMPACT static void narrow_whole(ck_dtype to, void *y, size_t at, size_t n, const wide *w) {
    const int64_t *x = w->whole;
    switch (to) {
    case CK_F32: EACH(((float *)y)[at + i] = (float)x[i]);
    case CK_F64: EACH(((double *)y)[at + i] = (double)x[i]);
    case CK_F16: EACH(((uint16_t *)y)[at + i] = half_from_f32(f32_to_odd(f64_to_odd(x[i]))));
    case CK_BF16: EACH(((uint16_t *)y)[at + i] = bf16_from_f32(f32_to_odd(f64_to_odd(x[i]))));
    case CK_I8: case CK_U8: EACH(((uint8_t *)y)[at + i] = (uint8_t)x[i]);
    case CK_I16: case CK_U16: EACH(((uint16_t *)y)[at + i] = (uint16_t)x[i]);
    case CK_I32: EACH(((uint32_t *)y)[at + i] = (uint32_t)x[i]);
    case CK_I64: EACH(((int64_t *)y)[at + i] = x[i]);
    default: EACH(((uint8_t *)y)[at + i] = x[i] != 0);
    }
}

void ck_cast_reference(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    (void)lane;
    const ck_cast_params *p = params;
    const ck_dtype from = (ck_dtype)p->from, to = (ck_dtype)p->to;
    const size_t stop = ck_block_stop(end, p->count);
    wide w;
    for (size_t at = begin * CK_BLOCK; at < stop; at += CHUNK) {
        const size_t n = stop - at < CHUNK ? stop - at : CHUNK;
        widen(from, operands[0], at, n, &w);
        if (is_real(from)) narrow_real(to, operands[1], at, n, &w);
        else narrow_whole(to, operands[1], at, n, &w);
    }
}
