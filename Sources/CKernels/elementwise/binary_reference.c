#include "elementwise_variants.h"

#include <tgmath.h>

/* A row for each operator, and its task. */
#define BINARY(base, T, OUT, value)                                                                              \
    CK_COMPACT static void row_##base(void *y, const void *a, int64_t a_stride, const void *b, int64_t b_stride, size_t n) { \
        OUT *to = y;                                                                                             \
        const T *from_a = a, *from_b = b;                                                                        \
        for (size_t i = 0; i < n; i++) {                                                                         \
            const T u = from_a[(int64_t)i * a_stride], v = from_b[(int64_t)i * b_stride];                        \
            to[i] = (OUT)(value);                                                                                \
        }                                                                                                        \
    }                                                                                                            \
    CK_TASK(base) {                                                                                              \
        (void)lane;                                                                                              \
        ck_binary_walk(params, operands, begin, end, sizeof(T), sizeof(OUT), row_##base);                        \
    }

#define COMPARISONS(suffix, T)                \
    BINARY(eq_##suffix, T, uint8_t, u == v)   \
    BINARY(ne_##suffix, T, uint8_t, u != v)   \
    BINARY(lt_##suffix, T, uint8_t, u < v)    \
    BINARY(le_##suffix, T, uint8_t, u <= v)   \
    BINARY(gt_##suffix, T, uint8_t, u > v)    \
    BINARY(ge_##suffix, T, uint8_t, u >= v)

#define TABLE(suffix, ...)                                                                               \
    ck_binary_table ck_binary_reference_##suffix = {                                                     \
        [CK_BINARY_ADD] = add_##suffix, [CK_BINARY_SUB] = sub_##suffix, [CK_BINARY_MUL] = mul_##suffix,  \
        [CK_BINARY_DIV] = div_##suffix, [CK_BINARY_MAX] = max_##suffix, [CK_BINARY_MIN] = min_##suffix,  \
        [CK_BINARY_POW] = pow_##suffix, [CK_BINARY_MOD] = mod_##suffix, [CK_BINARY_EQ] = eq_##suffix,    \
        [CK_BINARY_NE] = ne_##suffix,   [CK_BINARY_LT] = lt_##suffix,   [CK_BINARY_LE] = le_##suffix,    \
        [CK_BINARY_GT] = gt_##suffix,   [CK_BINARY_GE] = ge_##suffix,   __VA_ARGS__};

#define REALS(suffix, T)                                                  \
    static T floor_mod_##suffix(T a, T b) {                               \
        T r = fmod(a, b);                                                 \
        return r == 0 ? copysign(r, b) : (r < 0) != (b < 0) ? r + b : r;  \
    }                                                                     \
    BINARY(add_##suffix, T, T, u + v)                                     \
    BINARY(sub_##suffix, T, T, u - v)                                     \
    BINARY(mul_##suffix, T, T, u *v)                                      \
    BINARY(div_##suffix, T, T, u / v)                                     \
    BINARY(max_##suffix, T, T, u != u || u > v ? u : v)                   \
    BINARY(min_##suffix, T, T, u != u || u < v ? u : v)                   \
    BINARY(pow_##suffix, T, T, pow(u, v))                                 \
    BINARY(mod_##suffix, T, T, floor_mod_##suffix(u, v))                  \
    COMPARISONS(suffix, T)                                                \
    TABLE(suffix)
REALS(f32, float)
REALS(f64, double)

/* Arithmetic in U, an unsigned type at least as wide as unsigned int: wrapping is defined. LOWEST / −1, which
 * no type holds, is 0 − LOWEST in U. */
#define INTEGERS(suffix, T, U)                                                         \
    static T quotient_##suffix(T a, T b) {                                             \
        return b == 0 ? 0 : b == (T)-1 && (T)-1 < 0 ? (T)(0 - (U)a) : (T)(a / b);      \
    }                                                                                  \
    static T floor_mod_##suffix(T a, T b) {                                            \
        if (b == 0 || (b == (T)-1 && (T)-1 < 0)) return 0;                             \
        T r = (T)(a % b);                                                              \
        return r != 0 && (r < 0) != (b < 0) ? (T)(r + b) : r;                          \
    }                                                                                  \
    static T power_##suffix(T a, T b) {                                                \
        if (b < 0) return a == 1 ? 1 : a == (T)-1 ? (T)(b & 1 ? -1 : 1) : 0;           \
        U result = 1, square = (U)a;                                                   \
        for (U e = (U)b; e; e >>= 1, square *= square)                                 \
            if (e & 1) result *= square;                                               \
        return (T)result;                                                              \
    }                                                                                  \
    BINARY(add_##suffix, T, T, (U)u + (U)v)                                            \
    BINARY(sub_##suffix, T, T, (U)u - (U)v)                                            \
    BINARY(mul_##suffix, T, T, (U)u *(U)v)                                             \
    BINARY(div_##suffix, T, T, quotient_##suffix(u, v))                                \
    BINARY(max_##suffix, T, T, u > v ? u : v)                                          \
    BINARY(min_##suffix, T, T, u < v ? u : v)                                          \
    BINARY(pow_##suffix, T, T, power_##suffix(u, v))                                   \
    BINARY(mod_##suffix, T, T, floor_mod_##suffix(u, v))                               \
    BINARY(and_##suffix, T, T, u &v)                                                   \
    BINARY(or_##suffix, T, T, u | v)                                                   \
    BINARY(xor_##suffix, T, T, u ^ v)                                                  \
    COMPARISONS(suffix, T)                                                             \
    TABLE(suffix, [CK_BINARY_AND] = and_##suffix, [CK_BINARY_OR] = or_##suffix,        \
          [CK_BINARY_XOR] = xor_##suffix)
INTEGERS(i8, int8_t, uint32_t)
INTEGERS(u8, uint8_t, uint32_t)
INTEGERS(i32, int32_t, uint32_t)
INTEGERS(i64, int64_t, uint64_t)

ck_binary_table ck_binary_reference_bool = {[CK_BINARY_EQ] = eq_u8, [CK_BINARY_NE] = ne_u8, [CK_BINARY_AND] = and_u8,
                                            [CK_BINARY_OR] = or_u8, [CK_BINARY_XOR] = xor_u8};

#define WHERE(size, T)                                                                                             \
    CK_COMPACT static void row_where##size(void *y, const uint8_t *condition, int64_t condition_stride, const void *a,        \
                                int64_t a_stride, const void *b, int64_t b_stride, size_t n) {                     \
        T *to = y;                                                                                                 \
        const T *from_a = a, *from_b = b;                                                                          \
        for (size_t i = 0; i < n; i++) {                                                                           \
            const int64_t j = (int64_t)i;                                                                          \
            to[i] = condition[j * condition_stride] ? from_a[j * a_stride] : from_b[j * b_stride];                 \
        }                                                                                                          \
    }                                                                                                              \
    CK_TASK(where##size) {                                                                                         \
        (void)lane;                                                                                                \
        ck_where_walk(params, operands, begin, end, size, row_where##size);                                        \
    }
WHERE(1, uint8_t)
WHERE(2, uint16_t)
WHERE(4, uint32_t)
WHERE(8, uint64_t)
ck_where_table ck_where_reference = {where1, where2, where4, where8};
