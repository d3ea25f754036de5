/* What the files of this folder share; nobody else includes it. */
#ifndef CK_ATTENTION_VARIANTS_H
#define CK_ATTENTION_VARIANTS_H

#include "../include/ck_attention.h"

/* s becomes e^(scale·s + mask − their maximum) over `count` elements, then zeros up to `width`; returns 1 / Σ. mask may be
 * NULL. s may be written in whole vectors. */
typedef float (*attention_row)(float *s, const float *mask, float scale, int64_t count, int64_t width);
/* y = factor·y */
typedef void (*attention_scale)(float *y, float factor, int64_t count);

/* s becomes p = softmax(scale·s + mask) and d becomes scale·p·(d − Σ p·d) over `count` elements, both 0 up to `width`. */
typedef void (*attention_gradient_row)(float *s, float *d, const float *mask, float scale, int64_t count, int64_t width);

void ck_attention_gradient_run(const ck_attention_gradient_params *p, void *const *operands, size_t begin, size_t end,
                               unsigned lane, attention_gradient_row row);

void ck_attention_run(const ck_attention_params *p, void *const *operands, size_t begin, size_t end, unsigned lane,
                      attention_row row, attention_scale scale);

void ck_attention_reference(const void *, void *const *, size_t, size_t, unsigned);
void ck_attention_f64(const void *, void *const *, size_t, size_t, unsigned);
void ck_attention_gradient_reference(const void *, void *const *, size_t, size_t, unsigned);
void ck_attention_gradient_f64(const void *, void *const *, size_t, size_t, unsigned);
#if defined(__x86_64__)
void ck_attention_gradient_avx2(const void *, void *const *, size_t, size_t, unsigned);
void ck_attention_gradient_avx512(const void *, void *const *, size_t, size_t, unsigned);
void ck_attention_avx2(const void *, void *const *, size_t, size_t, unsigned);
void ck_attention_avx512(const void *, void *const *, size_t, size_t, unsigned);
#endif

#endif
