#include <string.h>

#include "gemm_grid.h"
#include "gemm_variants.h"
#include "half.h"

int64_t ck_panels_size(int64_t k, int64_t n) { return gemm_ceil_div(n, CK_PANEL) * CK_PANEL * k; }

size_t ck_panels_units(const ck_panels_params *p) {
    return (size_t)(p->batch * gemm_ceil_div(p->n, CK_PANEL));
}

/* Plain weights may be read where an importer found them, at any address. */
typedef float unaligned_float __attribute__((aligned(1)));

/* `plain` becomes the address of the unit's first column, `panel` that of its panel. */
#define PANEL_LOOP(NAME, PLAIN, PANELS, PLAIN_INDEX, PANELS_INDEX, BODY)                                    \
    void NAME(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {       \
        (void)lane;                                                                                       \
        const ck_panels_params *p = params;                                                               \
        int64_t count = gemm_ceil_div(p->n, CK_PANEL);                                                    \
        for (int64_t unit = (int64_t)begin; unit < (int64_t)end; unit++) {                                \
            int64_t first = unit % count * CK_PANEL;                                                      \
            int64_t columns = gemm_min(p->n - first, CK_PANEL);                                           \
            PLAIN *plain = (PLAIN *)operands[PLAIN_INDEX] + gemm_plain_entry(p, unit / count) +            \
                           first * p->column_stride;                                                      \
            PANELS *panel = (PANELS *)operands[PANELS_INDEX] + unit * CK_PANEL * p->k;                    \
            for (int64_t k = 0; k < p->k; k++, plain += p->row_stride, panel += CK_PANEL) BODY            \
        }                                                                                                 \
    }

#define PACK(NAME, PLAIN, PANELS, CONVERT)                                                                \
    PANEL_LOOP(NAME, const PLAIN, PANELS, 0, 1, {                                                         \
        for (int64_t j = 0; j < columns; j++) panel[j] = CONVERT(plain[j * p->column_stride]);            \
        for (int64_t j = columns; j < CK_PANEL; j++) panel[j] = 0;                                        \
    })

#define UNPACK(NAME, PANELS, PLAIN, CONVERT)                                                              \
    PANEL_LOOP(NAME, PLAIN, const PANELS, 1, 0, {                                                         \
        for (int64_t j = 0; j < columns; j++) plain[j * p->column_stride] = CONVERT(panel[j]);            \
    })

PACK(ck_pack_f32_reference, unaligned_float, float, )
static PACK(pack_f64, double, double, )
static PACK(pack_f16, unaligned_float, uint16_t, half_from_f32)
static PACK(pack_bf16, unaligned_float, uint16_t, bf16_from_f32)
UNPACK(ck_unpack_f32_reference, float, float, )
static UNPACK(unpack_f64, double, double, )
static UNPACK(unpack_f16, uint16_t, float, half_to_f32)
static UNPACK(unpack_bf16, uint16_t, float, bf16_to_f32)

ck_task ck_pack_panels(ck_dtype plain, ck_dtype panels, ck_isa isa) {
#if defined(__x86_64__)
    if (plain == CK_F32 && panels == CK_F32 && isa >= CK_ISA_AVX2) return ck_pack_f32_avx2;
#endif
    (void)isa;
    if (plain == CK_F64 && panels == CK_F64) return CK_F64_TASK(pack_f64);
    if (plain != CK_F32) return NULL;
    switch ((int)panels) {
    case CK_F32: return ck_pack_f32_reference;
    case CK_F16: return pack_f16;
    case CK_BF16: return pack_bf16;
    default: return NULL;
    }
}

ck_task ck_unpack_panels(ck_dtype panels, ck_dtype plain, ck_isa isa) {
    (void)isa;
    if (plain == CK_F64 && panels == CK_F64) return CK_F64_TASK(unpack_f64);
    if (plain != CK_F32) return NULL;
    switch ((int)panels) {
    case CK_F32: return ck_unpack_f32_reference;
    case CK_F16: return unpack_f16;
    case CK_BF16: return unpack_bf16;
    default: return NULL;
    }
}
