/* Choosers, units and walks of the loops over codes. */
#include "../elementwise/flat.h"
#include "codes_tasks.h"
#include "weight_only_view.h"

#if defined(__x86_64__)
#define CHOOSE(base, isa) \
    (ck_isa_base(isa) == CK_ISA_AVX512 ? base##_avx512 : ck_isa_base(isa) == CK_ISA_AVX2 ? base##_avx2 : base##_reference)
#else
#define CHOOSE(base, isa) ((void)(isa), base##_reference)
#endif

size_t ck_flat_units(int64_t count) { return ck_block_count(count); }
ck_task ck_quantize(ck_isa isa) { return CHOOSE(ck_quantize, isa); }
ck_task ck_dequantize(ck_isa isa) { return CHOOSE(ck_dequantize, isa); }
ck_task ck_quantize_rows(ck_isa isa) { return CHOOSE(ck_quantize_rows, isa); }

ck_task ck_lookup(ck_dtype dtype, ck_isa isa) {
    if (dtype == CK_F32) return ck_lookup_f32;
#if defined(__x86_64__)
    if (isa >= CK_ISA_AVX512_VNNI && ck_isa_has_vbmi()) return ck_lookup_i8_vbmi;
#endif
    return dtype == CK_I8 ? CHOOSE(ck_lookup_i8, isa) : NULL;
}

ck_task ck_softmax8(ck_isa isa) {
    (void)isa;
    return ck_softmax8_reference;
}

/* ---- Two tensors ---- */

size_t ck_binary8_units(const ck_binary8_params *p) { return ck_binary_units(&p->shape); }

/* Calls `row` for each run along the innermost axis. */
static void walk_rows(const ck_binary8_params *p, void *const *operands, size_t begin, size_t end, codes_binary_row *row) {
    const ck_binary_params *s = &p->shape;
    int64_t count = 1;
    for (int32_t d = 0; d < s->rank; d++) count *= s->size[d];
    const int32_t inner = s->rank - 1;
    const size_t stop = ck_block_stop(end, count);
    for (size_t at = begin * CK_BLOCK; at < stop;) {
        size_t rest = at, run = 1;
        int64_t a = 0, b = 0;
        for (int32_t d = inner; d >= 0; d--) {
            const int64_t index = (int64_t)(rest % (size_t)s->size[d]);
            rest /= (size_t)s->size[d];
            a += index * s->a_stride[d];
            b += index * s->b_stride[d];
            if (d == inner) run = (size_t)(s->size[d] - index);
        }
        if (run > stop - at) run = stop - at;
        row(p, (int8_t *)operands[2] + at, (const int8_t *)operands[0] + a, inner < 0 ? 0 : s->a_stride[inner],
            (const int8_t *)operands[1] + b, inner < 0 ? 0 : s->b_stride[inner], run);
        at += run;
    }
}

#define WALK(name, isa)                                                                                              \
    static void name##_##isa(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {   \
        (void)lane;                                                                                                  \
        walk_rows(params, operands, begin, end, codes_##name##_##isa);                                               \
    }
#define WALKS(isa) WALK(add, isa) WALK(mul, isa)
WALKS(reference)
#if defined(__x86_64__)
WALKS(avx2)
WALKS(avx512)
#endif

ck_task ck_add8(ck_isa isa) { return CHOOSE(add, isa); }
ck_task ck_mul8(ck_isa isa) { return CHOOSE(mul, isa); }

/* ---- Windows ---- */

ck_task ck_max_pool8(ck_isa isa) { return CHOOSE(ck_max_pool8, isa); }
ck_task ck_avg_pool8(ck_isa isa) { return CHOOSE(ck_avg_pool8, isa); }
size_t ck_avg_pool8_units(const ck_avg_pool8_params *p) { return ck_pool_units(&p->window); }

/* ---- Weights alone ---- */

ck_task ck_weight_only(ck_dtype weights, ck_isa isa) {
    return weights == CK_I8 ? CHOOSE(ck_weight_only_i8, isa) : weights == CK_I4 ? CHOOSE(ck_weight_only_i4, isa) : NULL;
}

ck_task ck_weight_only_codes(ck_isa isa) { return CHOOSE(ck_weight_only_codes, isa); }

ck_task ck_weight_only_gather(ck_dtype weights, ck_isa isa) {
    return weights == CK_I8   ? CHOOSE(ck_weight_only_gather_i8, isa)
           : weights == CK_I4 ? CHOOSE(ck_weight_only_gather_i4, isa)
                              : NULL;
}

size_t ck_weight_only_units(const ck_weight_only_params *p) {
    if (p->m <= 0 || p->n <= 0) return 0;
    return product_ceil((size_t)p->m, WEIGHT_ROWS) *
           product_ceil(product_ceil((size_t)p->n, CK_PANEL), WEIGHT_PANELS);
}
