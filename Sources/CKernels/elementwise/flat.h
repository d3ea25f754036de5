/* Flat loops: blocks of CK_BLOCK elements, and the loads and stores of a run that may end mid-vector. */
#ifndef CK_FLAT_H
#define CK_FLAT_H
#include "../include/ck_elementwise.h"

#pragma STDC FP_CONTRACT OFF

static inline size_t ck_block_count(int64_t count) {
    return count > 0 ? ((size_t)count + CK_BLOCK - 1) / CK_BLOCK : 0;
}
/* The first element past units ..< end. */
static inline size_t ck_block_stop(size_t end, int64_t count) {
    return end < ck_block_count(count) ? end * CK_BLOCK : (size_t)count;
}

/* These loops are bound by memory or by long straight bodies: unrolled copies buy size, not speed. */
#ifndef CK_COMPACT
#define CK_COMPACT __attribute__((minsize))
#endif
#define CK_TASK(name) \
    CK_COMPACT static void name(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane)

#if defined(V_WIDTH)
/* The first min(n, V_WIDTH) lanes. */
V_INLINE vf v_load_some(const float *p, size_t n) { return n < V_WIDTH ? v_load_n(p, n) : v_load(p); }
V_INLINE void v_store_some(float *p, vf x, size_t n) {
    if (n < V_WIDTH) v_store_n(p, x, n);
    else v_store(p, x);
}
/* Elements i, i + 1, … of a row whose stride is 1 or 0, min(n, V_WIDTH) of them. */
V_INLINE vf v_load_row(const float *p, int64_t stride, size_t i, size_t n) {
    return stride ? v_load_some(p + i, n) : v_set(*p);
}
#endif
#endif
