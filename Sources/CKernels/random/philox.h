/* Philox4x32-10, one block. */
#ifndef CK_PHILOX_H
#define CK_PHILOX_H
#include "random_variants.h"

/* words: counter in, random out. */
static inline void philox(uint32_t words[4], uint32_t key0, uint32_t key1) {
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        const uint64_t a = (uint64_t)PHILOX_M0 * words[0], b = (uint64_t)PHILOX_M1 * words[2];
        words[0] = (uint32_t)(b >> 32) ^ words[1] ^ key0;
        words[1] = (uint32_t)b;
        words[2] = (uint32_t)(a >> 32) ^ words[3] ^ key1;
        words[3] = (uint32_t)a;
        key0 += PHILOX_W0;
        key1 += PHILOX_W1;
    }
}

static inline void random_block(const ck_random_params *p, uint64_t counter, size_t block, uint32_t words[4]) {
    words[0] = (uint32_t)block;
    words[1] = (uint32_t)counter;
    words[2] = (uint32_t)(counter >> 32);
    words[3] = p->stream;
    philox(words, (uint32_t)p->seed, (uint32_t)(p->seed >> 32));
}
#endif
