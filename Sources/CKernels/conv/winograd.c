/* The choosers of Winograd's convolution, and what it takes. */
#include "winograd_tasks.h"
#include "winograd_view.h"

#if defined(__x86_64__)
#define ROWS(base) {base##_f32_reference, base##_f32_avx2, base##_f32_avx512}
#else
#define ROWS(base) SAME_ROWS(base)
#endif
#define SAME_ROWS(base) {base##_f32_reference, base##_f32_reference, base##_f32_reference}
static const ck_task product_rows[] = ROWS(winograd);
/* A file for inference has its weights packed. */
#if defined(APUS_INFERENCE)
static const ck_task pack_rows[] = SAME_ROWS(winograd_pack);
#else
static const ck_task pack_rows[] = ROWS(winograd_pack);
#endif

static ck_task choose(const ck_task *rows, ck_task f64, ck_dtype dtype, ck_isa isa) {
    switch (dtype) {
    case CK_F32: return rows[isa > CK_ISA_AVX512 ? CK_ISA_REFERENCE : isa];
    case CK_F64: return f64;
    default: return NULL;
    }
}

ck_task ck_winograd(const ck_winograd_params *w, ck_dtype dtype, ck_isa isa) {
    (void)w;
    return choose(product_rows, CK_F64_TASK(winograd_f64_reference), dtype, isa);
}
ck_task ck_winograd_pack(ck_dtype dtype, ck_isa isa) {
    return choose(pack_rows, CK_F64_TASK(winograd_pack_f64_reference), dtype, isa);
}

size_t ck_winograd_units(const ck_winograd_params *w) {
    winograd_view v = winograd_view_of(w);
    return v.blocks * v.chunks;
}
size_t ck_winograd_workspace(const ck_winograd_params *w, ck_dtype dtype, int lanes) {
    winograd_view v = winograd_view_of(w);
    return (size_t)lanes * winograd_lane_elements(&v) * (dtype == CK_F64 ? sizeof(double) : sizeof(float));
}
size_t ck_winograd_panels(const ck_winograd_params *w) { return conv_ceil((size_t)w->conv.out_c, CK_PANEL); }
size_t ck_winograd_panel_elements(const ck_winograd_params *w) {
    return ck_winograd_panels(w) * (size_t)((w->tile + 2) * (w->tile + 2)) * (size_t)w->conv.in_c * CK_PANEL;
}
