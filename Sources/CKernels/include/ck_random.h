/* Random numbers that are a pure function of (seed, stream, counter, element): Philox4x32-10 of Salmon,
 * Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
 *
 * Element i is word i mod 4 of the block
 *   Philox4x32-10(counter words {i div 4, low counter, high counter, stream}, key {low seed, high seed})
 * where low and high are the 32-bit halves. One counter value serves one use of one stream; the graph
 * advances it between steps. With w that word:
 *   uniform  f32: (w >> 8)·2^−24 · f64: w·2^−32, both in [0, 1)
 *   normal   Box–Muller (1958) on the pair (w0, w1) of elements 2j, 2j + 1:
 *            r·cos θ and r·sin θ, r = √(−2·ln((w0 + ½)·2^−32)), θ = 2π·(w1 >> 8)·2^−24
 *   dropout  keeps x where (w >> 8)·2^−24 ≥ rate, as x / (1 − rate); 0 elsewhere
 * Uniform numbers and dropout masks are the same on every instruction set.
 *
 * A unit is CK_BLOCK elements. */
#ifndef CK_RANDOM_H
#define CK_RANDOM_H

#include "ck.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t count; /* at most 2^34 */
    uint64_t seed;
    uint32_t stream;
    float rate; /* of dropout, 0 ... 1 */
} ck_random_params;

size_t ck_random_units(const ck_random_params *params);

/* operands: counter (i64 scalar), y. f32 (reference, AVX2, AVX-512), f64 (reference). */
ck_task ck_random_uniform(ck_dtype dtype, ck_isa isa);
ck_task ck_random_normal(ck_dtype dtype, ck_isa isa);

/* operands: x, counter (i64 scalar), y; y may be exactly x. The gradient is the same task with the same
 * counter on dy. Types as above. */
ck_task ck_dropout(ck_dtype dtype, ck_isa isa);

#ifdef __cplusplus
}
#endif
#endif
