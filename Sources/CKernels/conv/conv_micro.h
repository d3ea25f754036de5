/* What the micro-kernels of the implicit product are told. */
#ifndef CK_CONV_MICRO_H
#define CK_CONV_MICRO_H

#include "conv_place.h"

/* Asks for what a panel will be read from; the first pass over one comes from beyond the second-level cache. */
#define CONV_AHEAD 2048 /* bytes */
V_INLINE void conv_prefetch(const void *weights) { __builtin_prefetch((const void *)((uintptr_t)weights + CONV_AHEAD)); }

/* rows × columns taps, each `length` consecutive source floats against `length` rows of a panel. Where the taps of
 * a line touch in memory, inner pixels take the line as one tap. */
typedef struct {
    const float *source;
    const void *weights;                  /* of the first tap, first vector */
    size_t second;                        /* elements from there to the second vector */
    int32_t rows, columns;
    int32_t move_y, move_x, source_h, source_w;
    size_t length;
    ptrdiff_t source_y, source_x, weight_y, weight_x; /* to the next tap, in elements */
    size_t channels;                      /* ≤ vectors · V_WIDTH */
    int bf16;                             /* weights of two bytes are bf16, not f16 */
    conv_epilogue to;
} conv_work;

typedef struct {
    size_t rows, vectors;
    void (*run)(const conv_work *, const conv_place *);
} conv_micro;

/* A weight type and its micro-kernels, the best of those that fit last. */
typedef struct {
    const conv_micro *kernels;
    size_t count, weight_size;
    int bf16;
} conv_type;
#endif
