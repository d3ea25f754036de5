/* What the files of this folder share; nobody else includes it. */
#ifndef CK_RANDOM_VARIANTS_H
#define CK_RANDOM_VARIANTS_H
#include "../elementwise/flat.h"
#include "../include/ck_random.h"

enum { RANDOM_UNIFORM, RANDOM_NORMAL, RANDOM_DROPOUT, RANDOM_OPS };
typedef const ck_task ck_random_table[RANDOM_OPS];
extern ck_random_table ck_random_reference_f32, ck_random_reference_f64;
#if defined(__x86_64__)
extern ck_random_table ck_random_avx2, ck_random_avx512;
#endif

/* Philox4x32: multipliers of words 0 and 2, and what each round adds to the key. */
#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u
#define PHILOX_ROUNDS 10

#define TWO_PI 6.28318530717958647692
#endif
