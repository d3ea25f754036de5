/* What the files of this folder share; nobody else includes it. */
#ifndef CK_NORMALIZE_VARIANTS_H
#define CK_NORMALIZE_VARIANTS_H
#include "../include/ck_normalize.h"

#pragma STDC FP_CONTRACT OFF

#define CK_NORMALIZE_OPS 14
extern const ck_task ck_normalize_reference_f32[CK_NORMALIZE_OPS], ck_normalize_reference_f64[CK_NORMALIZE_OPS];
#if defined(__x86_64__)
/* NULL where the reference serves. */
extern const ck_task ck_normalize_avx2[CK_NORMALIZE_OPS], ck_normalize_avx512[CK_NORMALIZE_OPS];
#endif

#define CK_CHANNEL_BLOCK 16   /* channels (columns) a unit */
#define CK_AVERAGE_BLOCK 1024 /* elements of a moving average a unit */

/* The pixels of a chunk, and its two vectors of sums. */
typedef struct {
    size_t first, count, sums;
} ck_pixel_chunk;

static inline size_t ck_pixel_chunks(const ck_batch_norm_params *p) {
    return ((size_t)p->pixels + CK_PIXEL_CHUNK - 1) / CK_PIXEL_CHUNK;
}
static inline ck_pixel_chunk ck_pixel_chunk_at(const ck_batch_norm_params *p, size_t unit) {
    const size_t first = unit * CK_PIXEL_CHUNK, left = (size_t)p->pixels - first;
    return (ck_pixel_chunk){first, left < CK_PIXEL_CHUNK ? left : CK_PIXEL_CHUNK, 2 * unit * (size_t)p->channels};
}

/* The end of a range of elements that comes in blocks. */
static inline size_t ck_block_end(size_t end, size_t block, int64_t count) {
    return end * block < (size_t)count ? end * block : (size_t)count;
}
#endif
