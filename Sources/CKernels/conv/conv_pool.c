/* Convolution with max pooling, image by image. */
#include "../include/ck_conv_pool.h"
#include "conv_view.h"

#define POOL_SCRATCH (32 * 1024) /* elements of the convolution's result that a unit has in work, or those of one image */
#define POOL_SLICES 16
#define POOL_JOINED 1024

/* Elements, a multiple of a line of cache. */
static size_t lines(size_t elements) { return conv_ceil(elements, 16) * 16; }

static size_t image_x(const ck_conv_params *p) { return (size_t)p->in_h * (size_t)p->in_w * (size_t)p->in_c; }
static size_t image_y(const ck_conv_params *p) { return (size_t)p->out_h * (size_t)p->out_w * (size_t)p->out_c; }
static size_t image_pooled(const ck_pool_params *p) {
    return (size_t)p->out_h * (size_t)p->out_w * (size_t)p->channels;
}
static size_t weights(const ck_conv_params *p) {
    return (size_t)p->kernel_h * (size_t)p->kernel_w * (size_t)(p->in_c / p->groups) * (size_t)p->out_c;
}
static size_t images_of(const ck_conv_params *p) {
    const size_t images = POOL_SCRATCH / image_y(p);
    return images < 1 ? 1 : images;
}
static size_t slices_of(const ck_conv_params *p) { return conv_min(POOL_SLICES, (size_t)p->batch); }
static ck_conv_params one_image(const ck_conv_params *p) {
    ck_conv_params one = *p;
    one.batch = 1;
    return one;
}

size_t ck_conv_pool_units(const ck_conv_pool_params *p) { return conv_ceil((size_t)p->conv.batch, images_of(&p->conv)); }
size_t ck_conv_pool_scratch(const ck_conv_pool_params *p) { return lines(images_of(&p->conv) * image_y(&p->conv)); }

size_t ck_conv_pool_gradient_units(const ck_conv_pool_params *p) { return slices_of(&p->conv); }
size_t ck_conv_pool_gradient_sums(const ck_conv_pool_params *p) { return slices_of(&p->conv) * weights(&p->conv); }
/* The convolution's dY, its sums, what it has in work, and its dW. */
size_t ck_conv_pool_gradient_scratch(const ck_conv_pool_params *p) {
    const ck_conv_params one = one_image(&p->conv);
    return lines(image_y(&one)) + lines(ck_conv_weight_gradient_sums(&one)) + lines(ck_conv_weight_gradient_scratch(&one)) +
           lines(weights(&one));
}
size_t ck_conv_pool_gradient_join_units(const ck_conv_pool_params *p) { return conv_ceil(weights(&p->conv), POOL_JOINED); }

#define CONV_POOL(suffix, T, dtype)                                                                                   \
    static void conv_pool_##suffix(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) { \
        const ck_conv_pool_params *p = params;                                                                        \
        const size_t images = images_of(&p->conv), batch = (size_t)p->conv.batch, pooled = image_pooled(&p->pool);    \
        const int bias = p->conv.has_bias;                                                                            \
        ck_conv_params conv = p->conv;                                                                                \
        ck_pool_params pool = p->pool;                                                                                \
        T *y = (T *)operands[4 + bias] + lane * ck_conv_pool_scratch(p);                                              \
        for (size_t first = begin * images; first < conv_min(end * images, batch); first += images) {                 \
            conv.batch = pool.batch = (int32_t)conv_min(images, batch - first);                                       \
            void *from[4] = {(T *)operands[0] + first * image_x(&conv), operands[1], bias ? operands[2] : y, y};      \
            p->convolution(&conv, from, 0, ck_conv_units(&conv), lane);                                               \
            p->pooling(&pool, (void *[]){y, (T *)operands[2 + bias] + first * pooled,                                 \
                                         (uint8_t *)operands[3 + bias] + first * pooled},                             \
                       0, ck_pool_units(&pool), lane);                                                                \
        }                                                                                                             \
    }                                                                                                                 \
    static void conv_pool_gradient_##suffix(const void *params, void *const *operands, size_t begin, size_t end,      \
                                            unsigned lane) {                                                          \
        const ck_conv_pool_params *p = params;                                                                        \
        const ck_conv_params one = one_image(&p->conv);                                                               \
        const size_t batch = (size_t)p->conv.batch, slices = slices_of(&p->conv), count = weights(&one);              \
        const size_t pooled = image_pooled(&p->pool);                                                                 \
        ck_pool_params pool = p->pool;                                                                                \
        pool.batch = 1;                                                                                               \
        T *dy = (T *)operands[4] + lane * ck_conv_pool_gradient_scratch(p);                                           \
        T *sums = dy + lines(image_y(&one)), *work = sums + lines(ck_conv_weight_gradient_sums(&one));                \
        T *dw = work + lines(ck_conv_weight_gradient_scratch(&one));                                                  \
        for (size_t slice = begin; slice < end; slice++) {                                                            \
            T *total = (T *)operands[3] + slice * count;                                                              \
            for (size_t i = 0; i < count; i++) total[i] = 0;                                                          \
            for (size_t image = slice * batch / slices; image < (slice + 1) * batch / slices; image++) {              \
                p->pooling(&pool, (void *[]){(uint8_t *)operands[1] + image * pooled,                                 \
                                             (T *)operands[2] + image * pooled, dy},                                  \
                           0, ck_max_pool_gradient_units(&pool), lane);                                               \
                /* The first lane's part of the scratch is the one at hand. */                                       \
                p->convolution(&one, (void *[]){(T *)operands[0] + image * image_x(&one), dy, sums, work},            \
                               0, ck_conv_weight_gradient_units(&one), 0);                                            \
                ck_conv_weight_gradient_join(dtype)(&one, (void *[]){sums, dw}, 0,                                    \
                                                    ck_conv_weight_gradient_join_units(&one), 0);                     \
                for (size_t i = 0; i < count; i++) total[i] += dw[i];                                                 \
            }                                                                                                         \
        }                                                                                                             \
    }                                                                                                                 \
    static void conv_pool_join_##suffix(const void *params, void *const *operands, size_t begin, size_t end,          \
                                        unsigned lane) {                                                              \
        (void)lane;                                                                                                   \
        const ck_conv_pool_params *p = params;                                                                        \
        const size_t count = weights(&p->conv), slices = slices_of(&p->conv);                                         \
        for (size_t i = begin * POOL_JOINED; i < conv_min(end * POOL_JOINED, count); i++) {                           \
            T sum = ((const T *)operands[0])[i];                                                                      \
            for (size_t s = 1; s < slices; s++) sum += ((const T *)operands[0])[s * count + i];                       \
            ((T *)operands[1])[i] = sum;                                                                              \
        }                                                                                                             \
    }
CONV_POOL(f32, float, CK_F32)
CONV_POOL(f64, double, CK_F64)

#define CONV_POOL_CHOOSER(name, base)                                                                                 \
    ck_task name(ck_dtype dtype) {                                                                                    \
        return dtype == CK_F32 ? base##_f32 : dtype == CK_F64 ? CK_F64_TASK(base##_f64) : NULL;                       \
    }
CONV_POOL_CHOOSER(ck_conv_pool, conv_pool)
CONV_POOL_CHOOSER(ck_conv_pool_gradient, conv_pool_gradient)
CONV_POOL_CHOOSER(ck_conv_pool_gradient_join, conv_pool_join)
