/* The vector vocabulary on AVX-512 F/BW/DQ/VL, VNNI where CK_VNNI is defined, AMX where CK_AMX is, BF16 where CK_PAIRS is: 16 floats. Included by FAMILY_avx512.c only, before any
 * other code; the attribute push makes every function of that file an AVX-512 function. */
#ifndef CK_VECTOR_AVX512_H
#define CK_VECTOR_AVX512_H
#if defined(__x86_64__)
#define CK_HAVE_ISA 1
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#if defined(CK_AMX)
#pragma clang attribute push(__attribute__((target("amx-tile,amx-int8,amx-bf16,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)
#elif defined(CK_PAIRS)
#pragma clang attribute push(__attribute__((target("avx512bf16,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)
#elif defined(CK_VNNI)
#pragma clang attribute push(__attribute__((target("avx512vnni,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)
#else
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)
#endif

#define V_WIDTH 16
#define V_ISA_NAME(base) base##_avx512
typedef __m512 vf;     /* 16 × f32 */
typedef __m512i vi;    /* 16 × i32 */
typedef __mmask16 vm;  /* a mask: one bit a lane */

#define V_INLINE static inline __attribute__((always_inline, unused))

V_INLINE __mmask16 v_tail(size_t n) { return (__mmask16)((1u << n) - 1u); } /* lanes 0 ..< n, n ≤ 16 */
V_INLINE vf v_set(float x) { return _mm512_set1_ps(x); }
V_INLINE vf v_zero(void) { return _mm512_setzero_ps(); }
V_INLINE vf v_load(const float *p) { return _mm512_loadu_ps(p); }
V_INLINE void v_store(float *p, vf x) { _mm512_storeu_ps(p, x); }
/* The first n ≤ V_WIDTH lanes; the others read as 0 and are not written. */
V_INLINE vf v_load_n(const float *p, size_t n) { return _mm512_maskz_loadu_ps(v_tail(n), p); }
V_INLINE void v_store_n(float *p, vf x, size_t n) { _mm512_mask_storeu_ps(p, v_tail(n), x); }
/* Four floats in every four lanes, of which v_of_four makes vectors of one: one load where v_set(p[i]) is four. */
V_INLINE vf v_load_four(const float *p) {
    vf four = _mm512_broadcast_f32x4(_mm_loadu_ps(p));
    __asm__("" : "+v"(four)); /* else the compiler makes four loads again */
    return four;
}
V_INLINE vf v_of_four(vf four, int i) {
    const vf low = i & 1 ? _mm512_permute_ps(four, 0x55) : _mm512_permute_ps(four, 0x00), high = i & 1 ? _mm512_permute_ps(four, 0xff) : _mm512_permute_ps(four, 0xaa);
    return i & 2 ? high : low;
}
V_INLINE vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
V_INLINE vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
V_INLINE vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
V_INLINE vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
V_INLINE vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }   /* a·b + c */
V_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); } /* c − a·b */
V_INLINE vf v_sqrt(vf a) { return _mm512_sqrt_ps(a); }
/* x86 rule: the second operand where either is NaN. */
V_INLINE vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
V_INLINE vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
V_INLINE vf v_abs(vf a) { return _mm512_andnot_ps(v_set(-0.0f), a); }
V_INLINE vf v_xor(vf a, vf b) { return _mm512_xor_ps(a, b); }
V_INLINE vf v_neg(vf a) { return v_xor(v_set(-0.0f), a); }
V_INLINE vf v_copysign(vf magnitude, vf sign) {
    return _mm512_or_ps(v_abs(magnitude), _mm512_and_ps(v_set(-0.0f), sign));
}
V_INLINE vf v_round(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
V_INLINE vf v_floor(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
V_INLINE vf v_ceil(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
V_INLINE vm v_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
V_INLINE vm v_le(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
V_INLINE vm v_gt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
V_INLINE vm v_ge(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
V_INLINE vm v_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
V_INLINE vm v_ne(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); } /* true where either is NaN */
V_INLINE vm v_unordered(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q); } /* true where either is NaN */
V_INLINE vm v_isnan(vf a) { return v_unordered(a, a); }
V_INLINE vf v_select(vm mask, vf yes, vf no) { return _mm512_mask_blend_ps(mask, no, yes); }
V_INLINE vm vm_and(vm a, vm b) { return a & b; }
V_INLINE vm vm_or(vm a, vm b) { return a | b; }
V_INLINE vm vm_xor(vm a, vm b) { return a ^ b; }
V_INLINE vm vm_andnot(vm a, vm b) { return (vm)(~a & b); } /* b without a */
V_INLINE int vm_any(vm a) { return a; }
V_INLINE vm vm_first(size_t n) { return v_tail(n); } /* lanes 0 ..< n, n ≤ V_WIDTH */
/* Booleans, one byte each; n ≤ V_WIDTH of them. */
V_INLINE vm vm_load_n(const uint8_t *p, size_t n) {
    __m128i bytes = _mm_maskz_loadu_epi8(v_tail(n), p);
    return _mm_test_epi8_mask(bytes, bytes);
}
V_INLINE void vm_store_n(uint8_t *p, vm a, size_t n) {
    _mm_mask_storeu_epi8(p, v_tail(n), _mm_maskz_set1_epi8(a, 1));
}
V_INLINE vi vi_set(int32_t x) { return _mm512_set1_epi32(x); }
V_INLINE vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
V_INLINE vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
V_INLINE vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
V_INLINE vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
V_INLINE vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
#define vi_shl(a, bits) _mm512_slli_epi32((a), (bits))
#define vi_shr(a, bits) _mm512_srli_epi32((a), (bits))  /* logical */
#define vi_sar(a, bits) _mm512_srai_epi32((a), (bits))  /* arithmetic */
V_INLINE vi v_to_int(vf a) { return _mm512_cvtps_epi32(a); } /* round to nearest even */
V_INLINE vf vi_to_float(vi a) { return _mm512_cvtepi32_ps(a); }
V_INLINE vi v_bits(vf a) { return _mm512_castps_si512(a); }
V_INLINE vf v_from_bits(vi a) { return _mm512_castsi512_ps(a); }
/* a·2^n for integer-valued |n| ≤ 252, rounded once. */
V_INLINE vf v_ldexp(vf a, vf n) { return _mm512_scalef_ps(a, n); }
/* Sum and maximum over lanes, always in the same order. */
V_INLINE float v_reduce_add(vf a) { return _mm512_reduce_add_ps(a); }
V_INLINE float v_reduce_max(vf a) { return _mm512_reduce_max_ps(a); }
#endif
#endif
