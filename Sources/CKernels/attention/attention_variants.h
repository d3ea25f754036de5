/* What the files of this folder share; nobody else includes it. */
#ifndef CK_ATTENTION_VARIANTS_H
#define CK_ATTENTION_VARIANTS_H

#include "../include/ck_attention.h"

/* What belongs to the elements of a row of scores; each may be NULL. */
typedef struct {
    const float *mask, *key_scales, *value_scales;
} attention_columns;

/* e[j] = e^(scale·s[j]·key_scales[j] + mask[j] − their maximum) over `count` elements: s becomes e·value_scales, then zeros up to
 * `width`; returns 1 / Σ e. s may be written in whole vectors. */
typedef float (*attention_row)(float *s, const attention_columns *columns, float scale, int64_t count, int64_t width);
/* y = factor·y */
typedef void (*attention_scale)(float *y, float factor, int64_t count);

#define ATTENTION_TALLEST 96

static inline int64_t attention_least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Queries of one head that go through the two products together. */
typedef struct {
    const float *query;        /* heads·size apart */
    float *result;             /* heads·value_size apart */
    const void *keys, *values; /* panels of [size, keys] and of [keys, value_size], all the keys that there is room for */
    attention_columns columns; /* of the first query; the others' mask is mask_stride further each */
    int64_t mask_stride;
    int64_t count;             /* ATTENTION_TALLEST at most */
    int64_t seen;              /* keys that the last query sees, and with `causal` every earlier one a key less */
    int32_t causal;
    float *scores;             /* attention_rows(p) rows of attention_pitch(p) */
} attention_block;

/* Floats between the scores of one query and the next. */
int64_t attention_pitch(const ck_attention_params *p);
/* The most queries of a block: whole register tiles of 12. */
int64_t attention_rows(const ck_attention_params *p);

void attention_attend(const ck_attention_params *p, const attention_block *block, attention_row row, attention_scale scale);

/* s becomes p = softmax(scale·s + mask) and d becomes scale·p·(d − Σ p·d) over `count` elements, both 0 up to `width`. */
typedef void (*attention_gradient_row)(float *s, float *d, const float *mask, float scale, int64_t count, int64_t width);

void ck_attention_gradient_run(const ck_attention_gradient_params *p, void *const *operands, size_t begin, size_t end,
                               unsigned lane, attention_gradient_row row);

void ck_attention_run(const ck_attention_params *p, void *const *operands, size_t begin, size_t end, unsigned lane,
                      attention_row row, attention_scale scale);
void ck_cached_attention_run(const ck_attention_params *p, void *const *operands, size_t begin, size_t end, unsigned lane,
                             attention_row row, attention_scale scale);

#define ATTENTION_VARIANT(isa)                                            \
    void ck_attention_##isa(const void *, void *const *, size_t, size_t, unsigned); \
    void ck_cached_attention_##isa(const void *, void *const *, size_t, size_t, unsigned); \
    void ck_attention_gradient_##isa(const void *, void *const *, size_t, size_t, unsigned)
ATTENTION_VARIANT(reference);
void ck_attention_f64(const void *, void *const *, size_t, size_t, unsigned);
void ck_attention_gradient_f64(const void *, void *const *, size_t, size_t, unsigned);
#if defined(__x86_64__)
ATTENTION_VARIANT(avx2);
ATTENTION_VARIANT(avx512);
#endif

#endif
