/* What the files of this folder share; nobody else includes it. */
#ifndef CK_NORMALIZE_VARIANTS_H
#define CK_NORMALIZE_VARIANTS_H
#include "../include/ck_normalize.h"

#pragma STDC FP_CONTRACT OFF

#define CK_NORMALIZE_OPS 12
extern const ck_task ck_normalize_reference_f32[CK_NORMALIZE_OPS], ck_normalize_reference_f64[CK_NORMALIZE_OPS];
#if defined(__x86_64__)
/* NULL where the reference serves. */
extern const ck_task ck_normalize_avx2[CK_NORMALIZE_OPS], ck_normalize_avx512[CK_NORMALIZE_OPS];
#endif

#define CK_CHANNEL_BLOCK 16   /* channels (columns) a unit */
#define CK_AVERAGE_BLOCK 1024 /* elements of a moving average a unit */

/* The end of a range of elements that comes in blocks. */
static inline size_t ck_block_end(size_t end, size_t block, int64_t count) {
    return end * block < (size_t)count ? end * block : (size_t)count;
}
#endif
