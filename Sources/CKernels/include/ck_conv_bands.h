/* A convolution and the depthwise one that alone reads its result, a band of lines at a time: what lies between the two is in
 * a lane's scratch, small enough for its second-level cache. The bits are those of the tasks that are called. */
#ifndef CK_CONV_BANDS_H
#define CK_CONV_BANDS_H

#include "ck_conv.h"
#include "ck_gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* f32, no residuals. */
typedef struct {
    union {
        ck_conv_params convolution;
        ck_gemm_params product; /* of all pixels, where `is_product` */
    } first;
    ck_conv_params second;
    ck_task first_task, second_task;
    int32_t is_product;
} ck_conv_bands_params;

/* operands: those of the first, its result being the scratch of every lane, then those of the second, whose X is that scratch. A
 * unit is some lines of one image. */
void ck_conv_bands(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane);

/* Of a second convolution's ck_conv_params: the bytes of one lane's scratch, a multiple of 64, and the units; 0 if it is not
 * depthwise. */
intptr_t ck_conv_bands_scratch(const void *second_params, intptr_t *units);

/* Makes the params of two tasks where those of the second are, in room for them; the units. The first's, in as much room, are
 * ck_gemm_params where it is a product, else ck_conv_params. */
intptr_t ck_conv_bands_join(void *params, ck_task second, const void *first_params, ck_task first, int is_product);

#ifdef __cplusplus
}
#endif
#endif
