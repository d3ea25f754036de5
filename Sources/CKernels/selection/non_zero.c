#include <string.h>

#include "ck_selection.h"

/* The index of every element that is not 0, in row-major order. */
#define NON_ZERO(TYPE)                                                                                        \
    static void non_zero_##TYPE(const void *params, void *const *operands, size_t begin, size_t end,          \
                                unsigned lane) {                                                              \
        (void)lane;                                                                                           \
        const ck_non_zero_params *p = params;                                                                 \
        const TYPE *x = operands[0];                                                                          \
        int64_t *indices = operands[1], found = 0, count = 1;                                                 \
        if (begin == end) return;                                                                             \
        for (int32_t d = 0; d < p->rank; d++) count *= p->size[d];                                            \
        for (int64_t i = 0; i < count; i++) {                                                                 \
            if (x[i] == 0) continue;                                                                          \
            int64_t *index = indices + found++ * p->rank, rest = i;                                           \
            for (int32_t d = p->rank; d-- > 0; rest /= p->size[d]) index[d] = rest % p->size[d];              \
        }                                                                                                     \
        memset(indices + found * p->rank, 0, (size_t)((count - found) * p->rank) * sizeof(int64_t));          \
        *(int64_t *)operands[2] = found;                                                                      \
    }
NON_ZERO(uint8_t)
NON_ZERO(uint16_t)
NON_ZERO(uint32_t)
NON_ZERO(uint64_t)
NON_ZERO(float)
NON_ZERO(double)

ck_task ck_non_zero(ck_dtype dtype) {
    switch ((int)dtype) {
    case CK_F32: return non_zero_float;
    case CK_F64: return CK_F64_TASK(non_zero_double);
    case CK_I8: case CK_U8: case CK_BOOL: return non_zero_uint8_t;
    case CK_I16: case CK_U16: return non_zero_uint16_t;
    case CK_I32: return non_zero_uint32_t;
    case CK_I64: return non_zero_uint64_t;
    default: return NULL;
    }
}
