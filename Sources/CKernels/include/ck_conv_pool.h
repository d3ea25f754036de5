/* A convolution and the max pooling of its result, some images at a time: what the convolution computes lives in a lane's
 * scratch alone, and so does what its gradient reads. The bits are those of the tasks that it calls. */
#ifndef CK_CONV_POOL_H
#define CK_CONV_POOL_H

#include "ck_conv.h"
#include "ck_pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    ck_conv_params conv;  /* without residual */
    ck_pool_params pool;  /* over the convolution's Y */
    ck_task convolution;  /* ck_conv, or ck_conv_weight_gradient */
    ck_task pooling;      /* ck_max_pool_index, or ck_max_pool_index_gradient */
} ck_conv_pool_params;

/* Forward. operands: X, W (forward panels), [bias], pooled Y, index, scratch of every lane. A unit is a few images. */
ck_task ck_conv_pool(ck_dtype dtype);
size_t ck_conv_pool_units(const ck_conv_pool_params *params);
size_t ck_conv_pool_scratch(const ck_conv_pool_params *params); /* elements of one lane; 64-byte aligned */

/* Weight gradient, in two launches: every image has its own dW, and those of a slice of images are added in order, then those of
 * the slices.
 *   ck_conv_pool_gradient       operands: X, index, dY of the pooling, sums, scratch of every lane. A unit is a slice.
 *   ck_conv_pool_gradient_join  operands: sums, dW. A unit is 1024 elements.
 * dtypes: f32; f64 where the tasks are. */
ck_task ck_conv_pool_gradient(ck_dtype dtype);
size_t ck_conv_pool_gradient_units(const ck_conv_pool_params *params);
size_t ck_conv_pool_gradient_sums(const ck_conv_pool_params *params); /* elements of all slices' sums */
size_t ck_conv_pool_gradient_scratch(const ck_conv_pool_params *params);
ck_task ck_conv_pool_gradient_join(ck_dtype dtype);
size_t ck_conv_pool_gradient_join_units(const ck_conv_pool_params *params);

#ifdef __cplusplus
}
#endif
#endif
