#ifndef CK_MOVEMENT_INDEX_H
#define CK_MOVEMENT_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "../include/ck.h"

/* Index i of a list, counted from the end where negative; −1 where it is out of range. */
static inline int64_t ck_index(const void *indices, int32_t dtype, size_t i, int64_t count) {
    int64_t index = dtype == CK_I64 ? ((const int64_t *)indices)[i] : ((const int32_t *)indices)[i];
    if (index < 0) index = index < -count ? -1 : index + count;
    return index < count ? index : -1;
}
#endif
