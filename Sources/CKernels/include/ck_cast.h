/* Conversion between element types. */
#ifndef CK_CAST_H
#define CK_CAST_H

#include "ck.h"

#ifdef __cplusplus
extern "C" {
#endif

/* operands: x, y; y may be exactly x where the types have one size.
 *   float → float    nearest, halves to even; beyond the range to ±inf; NaN stays NaN
 *   float → integer  toward zero; beyond the range to its end; NaN to 0
 *   integer → float  nearest, halves to even
 *   integer → integer  the low bits (wraps)
 *   any → bool       x ≠ 0 (NaN is true) · bool → any: 0 or 1
 *
 * A unit is CK_BLOCK elements. */
typedef struct {
    int64_t count;
    int32_t from, to; /* ck_dtype */
} ck_cast_params;

size_t ck_cast_units(const ck_cast_params *params);

/* Every pair of the types of whole bytes. Vectors serve f32 from and to f16, bf16, i32, i8, u8 and bool. */
ck_task ck_cast(ck_dtype from, ck_dtype to, ck_isa isa);

#ifdef __cplusplus
}
#endif
#endif
