/* What the files of this folder share; nobody else includes it. */
#ifndef CK_RECURRENT_VARIANTS_H
#define CK_RECURRENT_VARIANTS_H

#include "../include/ck_recurrent.h"

/* Batch entries a unit at most: two of the tallest tiles of a product. */
enum { CK_RECURRENT_BLOCK = 24 };

/* The block of that batch up to p's, for as many lanes, which has the largest: 23 entries are one block, 46 are two. */
static inline int64_t ck_recurrent_largest(const ck_recurrent_params *p, int lanes) {
    const int64_t each = (p->batch + lanes - 1) / lanes;
    return each < 1 ? 1 : each < CK_RECURRENT_BLOCK ? each : CK_RECURRENT_BLOCK;
}

/* What only gradients ask for, which the inference library does not have: what is kept of a step, and masks of the state. */
#if defined(APUS_INFERENCE)
#define CK_TRAINED(operand) NULL
#else
#define CK_TRAINED(operand) (operand)
#endif

/* What a step does to one batch entry once the products are in `gates`; n is the hidden size. `kept` takes what the gradient
 * reads; it may be NULL. */
#define CK_RECURRENT_ROWS(T, suffix)                                                                              \
    /* `count` steps of a sequence, the strides from one to the next, from the state h to the last y; c changes in place. `gates` are for use. */ \
    typedef struct {                                                                                              \
        const T *panels, *b, *x, *h;                                                                              \
        T *y, *c, *kept, *gates;                                                                                  \
        int64_t n, count, x_stride, y_stride, kept_stride;                                                        \
    } ck_recurrent_steps_##suffix;                                                                                \
    typedef struct {                                                                                              \
        void (*rnn)(const ck_activation_params *activation, T *gates, T *h, T *kept, size_t n);                   \
        /* r takes the place of its sum, r·h is written to `reset`. */                                            \
        void (*gru_reset)(T *gates, const T *h, T *reset, size_t n);                                              \
        /* After that: z takes the place of its sum. */                                                           \
        void (*gru)(T *gates, T *h, T *kept, size_t n);                                                           \
        /* With the reset after: gates are sums, the third of them h·R_n; x is what the input gives n. */         \
        void (*gru_after)(T *gates, const T *x, const T *b, T *h, T *kept, size_t n);                             \
        void (*lstm)(T *gates, T *h, T *c, T *kept, size_t n);                                                    \
        /* c[panels · 16] = x + a[k]·B of one row, B's panels from the last to the first if `backwards`: those that are in \
         * the first-level cache come first when it turns at every step. x may be c. NULL: ck_gemm does it. */    \
        void (*row_product)(const T *a, const T *b, int64_t k, int64_t panels, const T *x, T *c, int backwards);  \
        /* All steps of one sequence; n is a multiple of CK_PANEL. The bits of row_product and gru_after or lstm; NULL where \
         * row_product is. */                                                                                     \
        void (*gru_steps)(const ck_recurrent_steps_##suffix *steps);                                              \
        void (*lstm_steps)(const ck_recurrent_steps_##suffix *steps);                                             \
        /* Of layers with integer weights: to = x + y. */                                                         \
        void (*add)(T *to, const T *x, const T *y, size_t n);                                                     \
        /* sums[panels · 16] = start + codes[4 · fours]·W, codes in −127 … 127; NULL: ck_product8 does it. */     \
        void (*code_sums)(const int8_t *codes, const int8_t *w, size_t fours, size_t panels, const int32_t *start, \
                          int32_t *sums);                                                                         \
        /* to[n] = x + sums · scale · scales, x NULL: 0; n is a multiple of 16. */                                \
        void (*code_reals)(T *to, const T *x, const int32_t *sums, float scale, const float *scales, size_t n);   \
    } ck_recurrent_rows_##suffix;                                                                                 \
    /* The same backwards: from the gradients dh, dc at the state after a step to dx at the gates' sums. dh and dc become \
     * those at the state before it, but for what flows through dx. */                                            \
    typedef struct {                                                                                              \
        /* n and z; dr follows once n's product is known. */                                                      \
        void (*gru)(const T *kept, const T *before, T *dh, T *dx, size_t n);                                      \
        /* `product` is dx_n·R_nᵀ; r·h is written to `reset`. */                                                  \
        void (*gru_reset)(const T *kept, const T *before, const T *product, T *dh, T *dx, T *reset, size_t n);    \
        void (*gru_after)(const T *kept, const T *before, T *dh, T *dx, T *du, size_t n);                         \
        void (*lstm)(const T *kept, const T *before, T *dh, T *dc, T *dx, size_t n);                              \
    } ck_recurrent_gradient_rows_##suffix;                                                                        \
    void ck_recurrent_run_##suffix(const ck_recurrent_params *p, void *const *operands, size_t begin, size_t end, \
                                   unsigned lane, const ck_recurrent_rows_##suffix *rows);                        \
    void ck_recurrent_gradient_run_##suffix(const ck_recurrent_params *p, void *const *operands, size_t begin,    \
                                            size_t end, unsigned lane,                                            \
                                            const ck_recurrent_gradient_rows_##suffix *rows);

CK_RECURRENT_ROWS(float, f32)
CK_RECURRENT_ROWS(double, f64)

/* Where the room of ck_state_product has its parts; of one row, `offsets` is what sums of codes begin with, i32 [gates · hidden]. */
typedef struct {
    int8_t *codes;
    float *scales;
    int32_t *offsets;
    char *rest;
} ck_state_room;
ck_state_room ck_state_room_of(const ck_recurrent_params *p, int64_t rows, char *room);
/* Rows of a as codes, and their scales. */
void ck_state_codes(const ck_recurrent_params *p, const float *a, int64_t rows, const ck_state_room *to);

/* to[rows][gates · hidden] = a[rows][hidden]·W; `room` is of ck_state_product_bytes, for as many rows or more. */
void ck_state_product(const ck_recurrent_params *p, void *const *weights, const float *a, int64_t rows, char *room, float *to);
/* A multiple of 64; no smaller for more rows. */
size_t ck_state_product_bytes(const ck_recurrent_params *p, int64_t rows);

/* How many steps of an entry count. */
static inline int64_t ck_recurrent_length(const ck_recurrent_params *p, const void *lengths, int64_t row) {
    if (!p->has_lengths) return p->time;
    const int64_t length =
        p->length_dtype == CK_I32 ? ((const int32_t *)lengths)[row] : ((const int64_t *)lengths)[row];
    return length < 0 ? 0 : length < p->time ? length : p->time;
}

#define CK_RECURRENT_TASK(name) void name(const void *, void *const *, size_t, size_t, unsigned)
CK_RECURRENT_TASK(ck_recurrent_f32_reference);
CK_RECURRENT_TASK(ck_recurrent_f64_reference);
CK_RECURRENT_TASK(ck_recurrent_codes_reference);
CK_RECURRENT_TASK(ck_recurrent_gradient_f32_reference);
CK_RECURRENT_TASK(ck_recurrent_gradient_f64_reference);
#if defined(__x86_64__)
CK_RECURRENT_TASK(ck_recurrent_avx2);
CK_RECURRENT_TASK(ck_recurrent_avx512);
CK_RECURRENT_TASK(ck_recurrent_codes_avx2);
CK_RECURRENT_TASK(ck_recurrent_gradient_avx2);
CK_RECURRENT_TASK(ck_recurrent_gradient_avx512);
#endif

#endif
