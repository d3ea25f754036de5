#include "elementwise_variants.h"

size_t ck_unary_units(const ck_unary_params *params) { return ck_block_count(params->count); }

ck_task ck_unary(ck_unary_op op, ck_dtype dtype, ck_isa isa) {
    if ((unsigned)op >= CK_UNARY_OPS) return NULL;
    switch (dtype) {
    case CK_F32:
#if defined(__x86_64__)
        if (isa == CK_ISA_AVX512) return ck_unary_avx512[op];
        if (isa == CK_ISA_AVX2) return ck_unary_avx2[op];
#endif
        (void)isa;
        return ck_unary_reference_f32[op];
    case CK_F64: return CK_F64_TASK(ck_unary_reference_f64[op]);
    case CK_I32: return ck_unary_reference_i32[op];
    case CK_I64: return ck_unary_reference_i64[op];
    case CK_BOOL: return ck_unary_reference_bool[op];
    default: return NULL;
    }
}

ck_task ck_activation_gradient(ck_activation kind, ck_dtype dtype, ck_isa isa) {
    if ((unsigned)kind >= CK_ACTIVATIONS) return NULL;
#if defined(__x86_64__)
    if (dtype == CK_F32 && isa == CK_ISA_AVX512) return ck_gradient_avx512[kind];
    if (dtype == CK_F32 && isa == CK_ISA_AVX2) return ck_gradient_avx2[kind];
#endif
    (void)isa;
    if (dtype == CK_F32) return ck_gradient_reference_f32[kind];
    return dtype == CK_F64 ? CK_F64_TASK(ck_gradient_reference_f64[kind]) : NULL;
}

ck_task ck_binary(ck_binary_op op, ck_dtype dtype, ck_isa isa) {
    if ((unsigned)op >= CK_BINARY_OPS) return NULL;
    switch (dtype) {
    case CK_F32:
#if defined(__x86_64__)
        if (isa == CK_ISA_AVX512 && ck_binary_avx512[op]) return ck_binary_avx512[op];
        if (isa == CK_ISA_AVX2 && ck_binary_avx2[op]) return ck_binary_avx2[op];
#endif
        (void)isa;
        return ck_binary_reference_f32[op];
    case CK_F64: return CK_F64_TASK(ck_binary_reference_f64[op]);
    case CK_I8: return ck_binary_reference_i8[op];
    case CK_U8: return ck_binary_reference_u8[op];
    case CK_I32: return ck_binary_reference_i32[op];
    case CK_I64: return ck_binary_reference_i64[op];
    case CK_BOOL: return ck_binary_reference_bool[op];
    default: return NULL;
    }
}

ck_task ck_where(ck_dtype dtype, ck_isa isa) {
    (void)isa;
    switch (dtype) {
    case CK_I8: case CK_U8: case CK_BOOL: return ck_where_reference[0];
    case CK_F16: case CK_BF16: case CK_I16: case CK_U16: return ck_where_reference[1];
    case CK_F32: case CK_I32:
#if defined(__x86_64__)
        if (isa == CK_ISA_AVX512) return ck_where4_avx512;
        if (isa == CK_ISA_AVX2) return ck_where4_avx2;
#endif
        return ck_where_reference[2];
    case CK_F64: case CK_I64: return ck_where_reference[3];
    default: return NULL;
    }
}
