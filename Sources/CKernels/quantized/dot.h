/* Vectors of bytes, sums made codes and, with VNNI, sums of four products of u8 by i8 in every lane of i32, modulo 2³². Included
 * after a vector header.
 *
 *   dot(sum, u, w)       sum + Σ u·w
 *   dot_set(p)           the four bytes at p in every lane
 *   dot_load(p)          4 · V_WIDTH bytes as they lie there
 */
#ifndef CK_QUANTIZED_DOT_H
#define CK_QUANTIZED_DOT_H

#include <string.h>

#include "ck_quantized.h"

#define DOT_BYTES (4 * V_WIDTH)
enum { DOT_PARTS = CK_PANEL / V_WIDTH }; /* vectors across a panel */

V_INLINE int32_t dot_word(const void *p) {
    int32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

#if V_WIDTH == 16
#define VB(operation) _mm512_##operation
V_INLINE vi vb_load(const void *p) { return _mm512_loadu_si512(p); }
V_INLINE void vb_store(void *p, vi x) { _mm512_storeu_si512(p, x); }
/* The first n ≤ DOT_BYTES bytes; the others read as 0 and are not written. */
V_INLINE __mmask64 vb_tail(size_t n) { return n >= 64 ? ~0ull : (1ull << n) - 1; }
V_INLINE vi vb_load_n(const void *p, size_t n) { return _mm512_maskz_loadu_epi8(vb_tail(n), p); }
V_INLINE void vb_store_n(void *p, vi x, size_t n) { _mm512_mask_storeu_epi8(p, vb_tail(n), x); }
/* V_WIDTH integers, each within i8, from and to bytes. */
V_INLINE vi vb_widen(const int8_t *p) { return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)); }
V_INLINE vi vb_widen_n(const int8_t *p, size_t n) { return _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(v_tail(n), p)); }
V_INLINE void vb_narrow(int8_t *p, vi x) { _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(x)); }
V_INLINE void vb_narrow_n(int8_t *p, vi x, size_t n) { _mm_mask_storeu_epi8(p, v_tail(n), _mm512_cvtepi32_epi8(x)); }
#else
#define VB(operation) _mm256_##operation
V_INLINE vi vb_load(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
V_INLINE void vb_store(void *p, vi x) { _mm256_storeu_si256((__m256i *)p, x); }
V_INLINE vi vb_load_n(const void *p, size_t n) {
    uint8_t bytes[32] = {0};
    memcpy(bytes, p, n < 32 ? n : 32);
    return vb_load(bytes);
}
V_INLINE void vb_store_n(void *p, vi x, size_t n) {
    uint8_t bytes[32];
    vb_store(bytes, x);
    memcpy(p, bytes, n < 32 ? n : 32);
}
V_INLINE vi vb_widen(const int8_t *p) { return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)); }
V_INLINE vi vb_widen_n(const int8_t *p, size_t n) {
    int8_t bytes[8] = {0};
    memcpy(bytes, p, n < 8 ? n : 8);
    return vb_widen(bytes);
}
V_INLINE void vb_narrow(int8_t *p, vi x) {
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(words, words));
}
V_INLINE void vb_narrow_n(int8_t *p, vi x, size_t n) {
    int8_t bytes[8];
    vb_narrow(bytes, x);
    memcpy(p, bytes, n < 8 ? n : 8);
}
#endif
/* x + 128 of i8 as u8. */
V_INLINE vi vb_flip(vi x) { return vi_xor(x, VB(set1_epi8)(-128)); }

#if defined(CK_VNNI)
#if V_WIDTH == 16
V_INLINE vi dot(vi sum, vi u, vi w) { return _mm512_dpbusd_epi32(sum, u, w); }
#else
V_INLINE vi dot(vi sum, vi u, vi w) { return _mm256_dpbusd_avx_epi32(sum, u, w); }
#endif
V_INLINE vi dot_set(const uint8_t *p) { return vi_set(dot_word(p)); }
V_INLINE vi dot_load(const int8_t *p) { return vb_load(p); }
#endif

/* Packing works within 128 bits: the dwords of packed bytes in the order of the four vectors they come from. */
V_INLINE vi dot_in_order(vi bytes) {
#if V_WIDTH == 16
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), bytes);
#else
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
#endif
}

/* How sums become codes by packing, which saturates as the bounds wish: the lower one is that of NaN and of all that no
 * integer holds. */
typedef struct {
    vf high, residual_scale;
    vi least, most, zero, residual_zero; /* least, most: codes, of bytes */
} product_quantizer;

V_INLINE product_quantizer product_quantizer_of(const ck_product8_params *p) {
    return (product_quantizer){
        .high = v_set(p->to.high), .zero = VB(set1_epi16)((short)p->to.zero),
        .least = VB(set1_epi8)((char)(p->to.low + (float)p->to.zero)),
        .most = VB(set1_epi8)((char)(p->to.high + (float)p->to.zero)),
        .residual_scale = v_set(p->residual_scale), .residual_zero = vi_set(p->residual_zero)};
}

V_INLINE vi product_pack(const product_quantizer *q, const vi *code) {
    const vi a = VB(adds_epi16)(VB(packs_epi32)(code[0], code[1]), q->zero);
    const vi b = VB(adds_epi16)(VB(packs_epi32)(code[2], code[3]), q->zero);
    return VB(min_epi8)(VB(max_epi8)(VB(packs_epi16)(a, b), q->least), q->most);
}

/* Rows of `piece` codes, `pitch` apart, DOT_BYTES together. */
V_INLINE void product_store(int8_t *y, vi codes, size_t pitch, const size_t piece) {
    if (piece == DOT_BYTES) vb_store(y, codes);
#if V_WIDTH == 16
    else if (piece == 32) {
        _mm256_storeu_si256((__m256i *)y, _mm512_castsi512_si256(codes));
        _mm256_storeu_si256((__m256i *)(y + pitch), _mm512_extracti64x4_epi64(codes, 1));
    } else {
        _mm_storeu_si128((__m128i *)y, _mm512_castsi512_si128(codes));
        _mm_storeu_si128((__m128i *)(y + pitch), _mm512_extracti32x4_epi32(codes, 1));
        _mm_storeu_si128((__m128i *)(y + 2 * pitch), _mm512_extracti32x4_epi32(codes, 2));
        _mm_storeu_si128((__m128i *)(y + 3 * pitch), _mm512_extracti32x4_epi32(codes, 3));
    }
#else
    else {
        _mm_storeu_si128((__m128i *)y, _mm256_castsi256_si128(codes));
        _mm_storeu_si128((__m128i *)(y + pitch), _mm256_extracti128_si256(codes, 1));
    }
#endif
}

/* Whether |m| < 1/2 in every lane: then integers hold what m makes of any sum, and packing alone keeps the bounds. */
V_INLINE int dot_tame(vf m) { return !vm_any(vm_or(v_ge(v_abs(m), v_set(0.5f)), v_isnan(m))); }

/* The code of v, NaN that of the lower bound. */
V_INLINE vi dot_quantize(vf v, vf low, vf high, vi zero) { return vi_add(v_to_int(v_min(v_max(v, low), high)), zero); }

#endif
