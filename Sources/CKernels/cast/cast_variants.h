/* What the files of this folder share; nobody else includes it. */
#ifndef CK_CAST_VARIANTS_H
#define CK_CAST_VARIANTS_H
#include "../elementwise/flat.h"
#include "../include/ck_cast.h"

void ck_cast_reference(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane);

/* The pairs of types that vectors serve. */
typedef struct {
    uint8_t from, to;
    ck_task task;
} ck_cast_pair;
#define CAST_PAIRS 12
#if defined(__x86_64__)
extern const ck_cast_pair ck_cast_avx2[CAST_PAIRS], ck_cast_avx512[CAST_PAIRS];
#endif
#endif
