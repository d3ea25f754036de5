/* The variants among which ck_gemm, ck_pack_panels and ck_unpack_panels choose. */
#ifndef CK_GEMM_VARIANTS_H
#define CK_GEMM_VARIANTS_H

#include "../include/ck_gemm.h"

#define GEMM_TASK(name) void name(const void *, void *const *, size_t, size_t, unsigned)

GEMM_TASK(ck_gemm_f64_reference);
GEMM_TASK(ck_gemm_f32_reference);
GEMM_TASK(ck_gemm_f16_reference);
GEMM_TASK(ck_gemm_bf16_reference);
GEMM_TASK(ck_gemm_i8_reference);
GEMM_TASK(ck_pack_f32_reference);
GEMM_TASK(ck_unpack_f32_reference);
#if defined(__x86_64__)
GEMM_TASK(ck_gemm_f32_avx2);
GEMM_TASK(ck_gemm_f16_avx2);
GEMM_TASK(ck_gemm_bf16_avx2);
GEMM_TASK(ck_gemm_i8_avx2);
GEMM_TASK(ck_gemm_f32_avx512);
GEMM_TASK(ck_gemm_f16_avx512);
GEMM_TASK(ck_gemm_bf16_avx512);
GEMM_TASK(ck_gemm_i8_avx512);
GEMM_TASK(ck_pack_f32_avx2);
#endif
#endif
