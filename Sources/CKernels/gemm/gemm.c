#include "gemm_variants.h"

#include "gemm_grid.h"

size_t ck_gemm_units(const ck_gemm_params *p) {
    if (p->m <= 0 || p->n <= 0 || p->batch <= 0) return 0;
    gemm_grid grid = gemm_grid_of(p);
    return (size_t)p->batch * (size_t)grid.row_blocks * (size_t)grid.column_blocks;
}

ck_task ck_gemm(ck_dtype a, ck_dtype b, ck_isa isa) {
    static const struct {
        ck_dtype a, b;
        ck_isa isa;
        ck_task task;
    } variants[] = { /* fastest first */
#if defined(__x86_64__)
        {CK_F32, CK_F32, CK_ISA_AVX512, ck_gemm_f32_avx512},
        {CK_F32, CK_F16, CK_ISA_AVX512, ck_gemm_f16_avx512},
        {CK_F32, CK_BF16, CK_ISA_AVX512, ck_gemm_bf16_avx512},
        {CK_F32, CK_I8, CK_ISA_AVX512, ck_gemm_i8_avx512},
        {CK_F32, CK_F32, CK_ISA_AVX2, ck_gemm_f32_avx2},
        {CK_F32, CK_F16, CK_ISA_AVX2, ck_gemm_f16_avx2},
        {CK_F32, CK_BF16, CK_ISA_AVX2, ck_gemm_bf16_avx2},
        {CK_F32, CK_I8, CK_ISA_AVX2, ck_gemm_i8_avx2},
#endif
        {CK_F32, CK_F32, CK_ISA_REFERENCE, ck_gemm_f32_reference},
        {CK_F32, CK_F16, CK_ISA_REFERENCE, ck_gemm_f16_reference},
        {CK_F32, CK_BF16, CK_ISA_REFERENCE, ck_gemm_bf16_reference},
        {CK_F32, CK_I8, CK_ISA_REFERENCE, ck_gemm_i8_reference},
        {CK_F64, CK_F64, CK_ISA_REFERENCE, CK_F64_TASK(ck_gemm_f64_reference)},
    };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        if (variants[i].a == a && variants[i].b == b && variants[i].isa <= isa) return variants[i].task;
    return NULL;
}
