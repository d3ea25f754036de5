/* What the files of this folder share; nobody else includes it. */
#ifndef CK_ATTENTION_VARIANTS_H
#define CK_ATTENTION_VARIANTS_H

#include "../include/ck_attention.h"

/* What happens to rows of scores between the two products. Rows are aligned and may be written in whole vectors. */
typedef struct {
    /* s[j] = scale·s[j]·key_scales[j] + mask[j]; either may be NULL */
    void (*adjust)(float *s, float scale, const float *key_scales, const float *mask, int64_t count);
    float (*greatest)(const float *s, int64_t count);
    /* e[j] = e^(scale·(s[j] − most)), scale ≥ 0: s becomes e·value_scales, which may be NULL, then zeros up to `width`; returns
     * 1 / Σ e. */
    float (*weigh)(float *s, float scale, float most, const float *value_scales, int64_t count, int64_t width);
    /* y[r][j] = factors[r]·y[r][j], rows `pitch` apart */
    void (*multiply)(float *y, int64_t pitch, const float *factors, int64_t rows, int64_t count);
} attention_loops;

#define ATTENTION_TALLEST 96
#define ATTENTION_CAUSAL_TALLEST 24 /* of causal blocks: the lower they are, the fewer scores are found for nobody */
#define ATTENTION_TOGETHER 4 /* rows whose maxima are found before one of them is weighed: each such search ends in a wait */

static inline int64_t attention_least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Queries of one head that go through the two products together. */
typedef struct {
    const float *query;        /* heads·size apart */
    float *result;             /* heads·value_size apart */
    const void *keys, *values; /* panels of [size, keys] and of [keys, value_size], all the keys that there is room for */
    const float *mask;         /* of the first query, mask_stride apart; NULL: none */
    const float *key_scales, *value_scales; /* of the keys; NULL: none */
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

void attention_attend(const ck_attention_params *p, const attention_block *b, const attention_loops *loops);

/* s becomes p = softmax(scale·s + mask) and d becomes scale·p·(d − Σ p·d) over `count` elements, both 0 up to `width`. */
typedef void (*attention_gradient_row)(float *s, float *d, const float *mask, float scale, int64_t count, int64_t width);

void ck_attention_gradient_run(const ck_attention_gradient_params *p, void *const *operands, size_t begin, size_t end,
                               unsigned lane, attention_gradient_row row);

void ck_attention_run(const ck_attention_params *p, void *const *operands, size_t begin, size_t end, unsigned lane,
                      const attention_loops *loops);
void ck_cached_attention_run(const ck_attention_params *p, void *const *operands, size_t begin, size_t end, unsigned lane,
                             const attention_loops *loops);

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
