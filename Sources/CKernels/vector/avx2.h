/* The vector vocabulary on AVX2 + FMA, and AVX-VNNI where CK_VNNI is defined: 8 floats. Included by FAMILY_avx2.c only, before any other code;
 * the attribute push makes every function of that file an AVX2 function. */
#ifndef CK_VECTOR_AVX2_H
#define CK_VECTOR_AVX2_H
#if defined(__x86_64__)
#define CK_HAVE_ISA 1
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#if defined(CK_VNNI)
#pragma clang attribute push(__attribute__((target("avxvnni,avx2,fma,f16c"))), apply_to = function)
#else
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#endif

#define V_WIDTH 8
#define V_ISA_NAME(base) base##_avx2
typedef __m256 vf;  /* 8 × f32 */
typedef __m256i vi; /* 8 × i32 */
typedef __m256 vm;  /* a mask: all bits set where true */

#define V_INLINE static inline __attribute__((always_inline, unused))

V_INLINE __m256i v_tail(size_t n) { /* lanes 0 ..< n */
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
V_INLINE vf v_set(float x) { return _mm256_set1_ps(x); }
V_INLINE vf v_zero(void) { return _mm256_setzero_ps(); }
V_INLINE vf v_load(const float *p) { return _mm256_loadu_ps(p); }
V_INLINE void v_store(float *p, vf x) { _mm256_storeu_ps(p, x); }
/* The first n ≤ V_WIDTH lanes; the others read as 0 and are not written. */
V_INLINE vf v_load_n(const float *p, size_t n) { return _mm256_maskload_ps(p, v_tail(n)); }
V_INLINE void v_store_n(float *p, vf x, size_t n) { _mm256_maskstore_ps(p, v_tail(n), x); }
/* Four floats in every four lanes, of which v_of_four makes vectors of one: one load where v_set(p[i]) is four. */
V_INLINE vf v_load_four(const float *p) {
    vf four = _mm256_broadcast_ps((const __m128 *)p);
    __asm__("" : "+v"(four)); /* else the compiler makes four loads again */
    return four;
}
V_INLINE vf v_of_four(vf four, int i) {
    const vf low = i & 1 ? _mm256_permute_ps(four, 0x55) : _mm256_permute_ps(four, 0x00), high = i & 1 ? _mm256_permute_ps(four, 0xff) : _mm256_permute_ps(four, 0xaa);
    return i & 2 ? high : low;
}
V_INLINE vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
V_INLINE vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
V_INLINE vf v_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
V_INLINE vf v_div(vf a, vf b) { return _mm256_div_ps(a, b); }
V_INLINE vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }   /* a·b + c */
V_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); } /* c − a·b */
V_INLINE vf v_sqrt(vf a) { return _mm256_sqrt_ps(a); }
/* x86 rule: the second operand where either is NaN. */
V_INLINE vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }
V_INLINE vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }
V_INLINE vf v_abs(vf a) { return _mm256_andnot_ps(v_set(-0.0f), a); }
V_INLINE vf v_xor(vf a, vf b) { return _mm256_xor_ps(a, b); }
V_INLINE vf v_neg(vf a) { return v_xor(v_set(-0.0f), a); }
V_INLINE vf v_copysign(vf magnitude, vf sign) {
    return _mm256_or_ps(v_abs(magnitude), _mm256_and_ps(v_set(-0.0f), sign));
}
V_INLINE vf v_round(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
V_INLINE vf v_floor(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
V_INLINE vf v_ceil(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
V_INLINE vm v_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
V_INLINE vm v_le(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
V_INLINE vm v_gt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
V_INLINE vm v_ge(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_GE_OQ); }
V_INLINE vm v_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
V_INLINE vm v_ne(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); } /* true where either is NaN */
V_INLINE vm v_unordered(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_UNORD_Q); } /* true where either is NaN */
V_INLINE vm v_isnan(vf a) { return v_unordered(a, a); }
V_INLINE vf v_select(vm mask, vf yes, vf no) { return _mm256_blendv_ps(no, yes, mask); }
V_INLINE vm vm_and(vm a, vm b) { return _mm256_and_ps(a, b); }
V_INLINE vm vm_or(vm a, vm b) { return _mm256_or_ps(a, b); }
V_INLINE vm vm_xor(vm a, vm b) { return _mm256_xor_ps(a, b); }
V_INLINE vm vm_andnot(vm a, vm b) { return _mm256_andnot_ps(a, b); } /* b without a */
V_INLINE int vm_any(vm a) { return _mm256_movemask_ps(a); }
V_INLINE vm vm_first(size_t n) { return _mm256_castsi256_ps(v_tail(n)); } /* lanes 0 ..< n, n ≤ V_WIDTH */
/* Booleans, one byte each; n ≤ V_WIDTH of them. */
V_INLINE vm vm_load_n(const uint8_t *p, size_t n) {
    uint64_t bytes = 0;
    __builtin_memcpy(&bytes, p, n);
    __m256i wide = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)bytes));
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(wide, _mm256_setzero_si256()));
}
V_INLINE void vm_store_n(uint8_t *p, vm a, size_t n) {
    __m256i ones = _mm256_and_si256(_mm256_castps_si256(a), _mm256_set1_epi32(1));
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(ones), _mm256_extracti128_si256(ones, 1));
    uint64_t bytes = (uint64_t)_mm_cvtsi128_si64(_mm_packs_epi16(words, words));
    __builtin_memcpy(p, &bytes, n);
}
V_INLINE vi vi_set(int32_t x) { return _mm256_set1_epi32(x); }
V_INLINE vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
V_INLINE vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
V_INLINE vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
V_INLINE vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
V_INLINE vi vi_xor(vi a, vi b) { return _mm256_xor_si256(a, b); }
#define vi_shl(a, bits) _mm256_slli_epi32((a), (bits))
#define vi_shr(a, bits) _mm256_srli_epi32((a), (bits))  /* logical */
#define vi_sar(a, bits) _mm256_srai_epi32((a), (bits))  /* arithmetic */
V_INLINE vi v_to_int(vf a) { return _mm256_cvtps_epi32(a); } /* round to nearest even */
V_INLINE vf vi_to_float(vi a) { return _mm256_cvtepi32_ps(a); }
V_INLINE vi v_bits(vf a) { return _mm256_castps_si256(a); }
V_INLINE vf v_from_bits(vi a) { return _mm256_castsi256_ps(a); }
/* a·2^n for integer-valued |n| ≤ 252, rounded once. */
V_INLINE vf v_ldexp(vf a, vf n) {
    vi whole = v_to_int(n), half = vi_sar(whole, 1), bias = vi_set(127);
    vf first = v_from_bits(vi_shl(vi_add(half, bias), 23));
    vf second = v_from_bits(vi_shl(vi_add(vi_sub(whole, half), bias), 23));
    return v_mul(v_mul(a, first), second);
}
/* Sum and maximum over lanes, always in the same order. */
V_INLINE float v_reduce_add(vf a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}
V_INLINE float v_reduce_max(vf a) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_shuffle_ps(s, s, 1)));
}
#endif
#endif
