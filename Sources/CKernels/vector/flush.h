/* A mode of the processor in which numbers nearer to 0 than the least normal one are read and written as 0: arithmetic with them
 * takes longer, how much depends on the processor. */
#ifndef CK_VECTOR_FLUSH_H
#define CK_VECTOR_FLUSH_H
#include <stdint.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

/* What ck_flush_end restores. */
static inline uint64_t ck_flush_begin(void) {
#if defined(__x86_64__)
    const uint32_t before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
#elif defined(__aarch64__)
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" ::"r"(before | 1 << 24) : "memory");
    return before;
#else
    return 0;
#endif
}

static inline void ck_flush_end(uint64_t before) {
#if defined(__x86_64__)
    _mm_setcsr((uint32_t)before);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" ::"r"(before) : "memory");
#else
    (void)before;
#endif
}
#endif
