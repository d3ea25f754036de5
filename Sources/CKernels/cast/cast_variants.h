/* What the files of this folder share; nobody else includes it. */
#ifndef CK_CAST_VARIANTS_H
#define CK_CAST_VARIANTS_H
#include "../elementwise/flat.h"
#include "../include/ck_cast.h"

#define CAST_TYPES (CK_BOOL + 1)
typedef const ck_task ck_cast_table[CAST_TYPES][CAST_TYPES]; /* from, to */
extern ck_cast_table ck_cast_reference;
#if defined(__x86_64__)
extern ck_cast_table ck_cast_avx2, ck_cast_avx512;
#endif
#endif
