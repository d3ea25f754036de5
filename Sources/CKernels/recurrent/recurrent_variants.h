/* What the files of this folder share; nobody else includes it. */
#ifndef CK_RECURRENT_VARIANTS_H
#define CK_RECURRENT_VARIANTS_H

#include "../include/ck_recurrent.h"

/* What a step does to one batch entry once the products are in `gates`; n is the hidden size. */
typedef struct {
    void (*rnn)(const ck_activation_params *activation, float *gates, float *h, size_t n);
    /* r and z take the place of their sums, r·h is written to `reset`. */
    void (*gru_reset)(float *gates, const float *h, float *reset, size_t n);
    /* `product` is h·R_n + b, where the reset comes after it; else NULL. */
    void (*gru)(const float *gates, const float *product, float *h, size_t n);
    void (*lstm)(const float *gates, float *h, float *c, size_t n);
} ck_recurrent_rows;

void ck_recurrent_run(const ck_recurrent_params *p, void *const *operands, size_t begin, size_t end, unsigned lane,
                      const ck_recurrent_rows *rows);

void ck_recurrent_reference(const void *, void *const *, size_t, size_t, unsigned);
#if defined(__x86_64__)
void ck_recurrent_avx2(const void *, void *const *, size_t, size_t, unsigned);
void ck_recurrent_avx512(const void *, void *const *, size_t, size_t, unsigned);
#endif

#endif
