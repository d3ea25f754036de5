/* dW from the sums of its slices. */
#include "conv_tasks.h"
#include "conv_view.h"

#define JOIN(name, T)                                                                                                 \
    void name(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {                   \
        (void)lane;                                                                                                   \
        const size_t count = conv_gradient_elements(params), slices = conv_gradient_slices(params);                   \
        const size_t first = begin * CONV_JOINED, stop = conv_min(end * CONV_JOINED, count);                          \
        for (size_t block = first; block < stop; block += CONV_JOINED) {                                              \
            const size_t n = conv_min(CONV_JOINED, stop - block);                                                     \
            const T *restrict from = (const T *)operands[0] + block;                                                  \
            T *restrict dw = (T *)operands[1] + block;                                                                \
            for (size_t i = 0; i < n; i++) dw[i] = from[i];                                                           \
            for (size_t s = 1; s < slices; s++)                                                                       \
                for (size_t i = 0; i < n; i++) dw[i] += from[s * count + i];                                          \
        }                                                                                                             \
    }
JOIN(conv_weight_gradient_join_f32, float)
JOIN(conv_weight_gradient_join_f64, double)
