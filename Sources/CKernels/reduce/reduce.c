#include "reduce_variants.h"

ck_reduce_params ck_reduce_over(int32_t rank, const int64_t *sizes, uint32_t axes) {
    ck_reduce_params p = {0};
    int64_t stride = 1;
    int previous = -1; /* whether the axis inside this one is reduced */
    for (int32_t d = rank - 1; d >= 0; d--) { /* built innermost first, reversed below */
        const int reduced = (axes >> d) & 1;
        int32_t *count = reduced ? &p.reduced_rank : &p.kept_rank;
        int64_t *size = reduced ? p.reduced_size : p.kept_size, *step = reduced ? p.reduced_stride : p.kept_stride;
        if (sizes[d] == 1) continue;
        if (reduced == previous) size[*count - 1] *= sizes[d];
        else {
            size[*count] = sizes[d];
            step[(*count)++] = stride;
        }
        previous = reduced;
        stride *= sizes[d];
    }
    for (int pass = 0; pass < 2; pass++) {
        const int32_t count = pass ? p.reduced_rank : p.kept_rank;
        int64_t *size = pass ? p.reduced_size : p.kept_size, *step = pass ? p.reduced_stride : p.kept_stride;
        for (int32_t i = 0; i < count / 2; i++) {
            const int32_t j = count - 1 - i;
            const int64_t s = size[i], t = step[i];
            size[i] = size[j], step[i] = step[j];
            size[j] = s, step[j] = t;
        }
    }
    return p;
}

size_t ck_reduce_units(const ck_reduce_params *params) {
    const size_t block = ck_reduce_block(params);
    return (ck_grid_count(params->kept_rank, params->kept_size) + block - 1) / block;
}

ck_task ck_reduce(ck_reduce_op op, ck_dtype dtype, ck_isa isa) {
    if ((unsigned)op >= CK_REDUCE_OPS) return NULL;
    switch (dtype) {
    case CK_F32:
#if defined(__x86_64__)
        if (isa == CK_ISA_AVX512 && ck_reduce_avx512[op]) return ck_reduce_avx512[op];
        if (isa != CK_ISA_REFERENCE) return ck_reduce_avx2[op];
#endif
        (void)isa;
        return ck_reduce_reference_f32[op];
    case CK_F64: return CK_F64_TASK(ck_reduce_reference_f64[op]);
    case CK_I32: return ck_reduce_reference_i32[op];
    case CK_I64: return ck_reduce_reference_i64[op];
    default: return NULL;
    }
}

size_t ck_arg_units(const ck_arg_params *params) { return (size_t)(params->outer * params->inner); }

ck_task ck_arg_reduce(ck_arg_op op, ck_dtype dtype, ck_isa isa) {
    if ((unsigned)op >= 2) return NULL;
    switch (dtype) {
    case CK_F32:
#if defined(__x86_64__)
        if (isa != CK_ISA_REFERENCE) return ck_arg_avx2[op];
#endif
        (void)isa;
        return ck_arg_reference_f32[op];
    case CK_F64: return CK_F64_TASK(ck_arg_reference_f64[op]);
    case CK_I32: return ck_arg_reference_i32[op];
    case CK_I64: return ck_arg_reference_i64[op];
    default: return NULL;
    }
}
