/* A convolution and the depthwise one that alone reads its result, as one task: lines of that result are made where the depthwise
 * loops read them, a few channels at a time, and are nowhere else in memory. The bits are those of the two tasks. */
#ifndef CK_CONV_FUSED_H
#define CK_CONV_FUSED_H

#include "ck_conv.h"
#include "ck_gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Both are f32, without residuals. */
typedef struct {
    ck_conv_params second; /* with `fused` */
    union {
        ck_conv_params convolution;
        ck_gemm_params product; /* of all pixels, where `is_product` */
    } first;
    ck_task first_task;
    int32_t is_product;
    ck_dtype weights; /* the first's */
} ck_conv_fused_params;

/* Whether the second convolution's task can make the first itself, whose params are ck_gemm_params where it is a product, else
 * ck_conv_params, where lines of X and Y have up to so many pixels, whatever their number is now; and gains by it. */
int32_t ck_conv_fuses(const void *second, ck_task second_task, intptr_t x_pixels, intptr_t y_pixels, const void *first, int32_t is_product);

/* Makes the second's params, in room for CK_PARAMS_MAX bytes, those of both, to be given to its task; the first's are in as much room.
 * Units are the second's; so are operands, but for those of the first before them, whose result and the second's X, which are the same,
 * are not touched. `lanes`: threads that will share them. */
void ck_conv_fuse(void *second, const void *first, ck_task first_task, int32_t is_product, ck_dtype weights, intptr_t lanes);

#ifdef __cplusplus
}
#endif
#endif
