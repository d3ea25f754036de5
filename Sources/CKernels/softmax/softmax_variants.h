/* What the files of this folder share; nobody else includes it. */
#ifndef CK_SOFTMAX_VARIANTS_H
#define CK_SOFTMAX_VARIANTS_H
#include "../elementwise/flat.h"
#include "../include/ck_softmax.h"

#define SOFTMAX_COLUMNS 16 /* inner positions a unit */

typedef const ck_task ck_softmax_table[CK_SOFTMAX_OPS];
typedef const ck_task ck_cross_entropy_table[CK_CROSS_ENTROPY_OPS];

extern ck_softmax_table ck_softmax_reference_f32, ck_softmax_reference_f64;
extern ck_cross_entropy_table ck_cross_entropy_reference_f32, ck_cross_entropy_reference_f64;
#if defined(__x86_64__)
extern ck_softmax_table ck_softmax_avx2, ck_softmax_avx512;
extern ck_cross_entropy_table ck_cross_entropy_avx2, ck_cross_entropy_avx512;
#endif

/* Where a unit's first element lies, and how many neighbouring positions it has. */
typedef struct {
    size_t offset, columns;
} softmax_unit;

static inline softmax_unit softmax_unit_at(const ck_softmax_params *p, size_t unit) {
    const size_t width = (size_t)p->width, inner = (size_t)p->inner;
    const size_t groups = (inner + SOFTMAX_COLUMNS - 1) / SOFTMAX_COLUMNS;
    const size_t column = unit % groups * SOFTMAX_COLUMNS, left = inner - column;
    return (softmax_unit){unit / groups * width * inner + column, left < SOFTMAX_COLUMNS ? left : SOFTMAX_COLUMNS};
}
#endif
