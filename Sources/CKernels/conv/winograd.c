/* The choosers of Winograd's convolution, and what it takes. */
#include "winograd_tasks.h"
#include "winograd_view.h"

#define WINOGRAD_UNITS 8      /* units below which they are made smaller, for more threads to share them */
#define WINOGRAD_BLOCK 64     /* the most tiles in a block */
/* The least tiles in a block that was made smaller: it goes through all of U anew, of which a second-level cache keeps so many
 * elements; a larger one comes from farther away. */
#define WINOGRAD_LEAST 4
#define WINOGRAD_CACHED (256 * 1024)
#define WINOGRAD_LEAST_UNCACHED 24
#define WINOGRAD_TOGETHER 12  /* tiles that stay together where columns can be parted: U comes in once for all of them */

#if defined(__x86_64__)
#define ROWS(base) {base##_f32_reference, base##_f32_avx2, base##_f32_avx512}
#else
#define ROWS(base) SAME_ROWS(base)
#endif
#define SAME_ROWS(base) {base##_f32_reference, base##_f32_reference, base##_f32_reference}
static const ck_task product_rows[] = ROWS(winograd);
#if !defined(APUS_INFERENCE)
static const ck_task gradient_rows[] = ROWS(winograd_input_gradient);
#endif
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
#if !defined(APUS_INFERENCE)
    if (w->transposed) return choose(gradient_rows, CK_F64_TASK(winograd_input_gradient_f64_reference), dtype, isa);
#endif
    (void)w;
    return choose(product_rows, CK_F64_TASK(winograd_f64_reference), dtype, isa);
}
ck_task ck_winograd_pack(ck_dtype dtype, ck_isa isa) {
    return choose(pack_rows, CK_F64_TASK(winograd_pack_f64_reference), dtype, isa);
}

winograd_view winograd_view_of(const ck_winograd_params *w) {
    const ck_conv_params *p = &w->conv;
    winograd_view v = {.p = p, .tile = (size_t)w->tile, .in_c = (size_t)p->in_c, .out_c = (size_t)p->out_c};
    v.places = (v.tile + 2) * (v.tile + 2);
    const int back = CK_IS_TRAINING && w->transposed;
    v.height = back ? p->in_h : p->out_h;
    v.width = back ? p->in_w : p->out_w;
    v.down = conv_ceil((size_t)v.height, v.tile);
    v.across = conv_ceil((size_t)v.width, v.tile);
    v.tiles = (size_t)p->batch * v.down * v.across;
    v.columns = WINOGRAD_COLUMNS;
    v.chunks = conv_ceil(v.out_c, v.columns);
    const size_t elements = v.places * v.in_c * v.out_c;
    const size_t least = elements <= WINOGRAD_CACHED ? WINOGRAD_LEAST : WINOGRAD_LEAST_UNCACHED;
    const size_t fewest = conv_ceil(v.tiles, WINOGRAD_BLOCK), most = v.tiles / least;
    v.blocks = conv_min(conv_ceil(WINOGRAD_UNITS, v.chunks), most);
    const int together = v.tiles <= WINOGRAD_TOGETHER && v.chunks == 1 && v.out_c > WINOGRAD_COLUMNS / 2;
    if (v.blocks <= fewest || together) {
        v.blocks = fewest;
        /* Columns parted transform the sources once more, which only a long way to U outweighs. */
        if (together || (elements > WINOGRAD_CACHED && v.blocks * v.chunks < WINOGRAD_UNITS))
            v.chunks = conv_ceil(v.out_c, v.columns /= 2);
    }
    v.block = conv_ceil(v.tiles, v.blocks);
    if (back) {
        /* Tiles of a picture add to the same pixels: a unit has whole pictures, and goes through them block by block. */
        const size_t tiles = v.down * v.across, batch = (size_t)p->batch;
        const size_t fit = tiles < WINOGRAD_BLOCK ? WINOGRAD_BLOCK / tiles : 1, share = batch * v.chunks / WINOGRAD_UNITS;
        v.columns = WINOGRAD_COLUMNS;
        v.chunks = conv_ceil(v.out_c, v.columns);
        v.pictures = conv_min(fit, share > 0 ? share : 1);
        v.blocks = conv_ceil(batch, v.pictures);
        v.block = conv_min(v.pictures * tiles, WINOGRAD_BLOCK);
    }
    v.pitch = conv_ceil(v.in_c, CK_PANEL) * CK_PANEL + CK_PANEL;
    v.plane = v.block * v.pitch;
    v.product_pitch = v.places * WINOGRAD_COLUMNS + CK_PANEL;
    return v;
}

size_t ck_winograd_units(const ck_winograd_params *w) {
    winograd_view v = winograd_view_of(w);
    return v.blocks * v.chunks;
}
size_t ck_winograd_workspace(const ck_winograd_params *w, ck_dtype dtype, int lanes) {
    winograd_view v = winograd_view_of(w);
    /* Not v.block, of which fewer tiles may have more. */
    v.block = conv_min(v.tiles, WINOGRAD_BLOCK);
    v.plane = v.block * v.pitch;
    return (size_t)lanes * winograd_lane_elements(&v) * (dtype == CK_F64 ? sizeof(double) : sizeof(float));
}
size_t ck_winograd_panels(const ck_winograd_params *w) { return conv_ceil((size_t)w->conv.out_c, CK_PANEL); }
size_t ck_winograd_panel_elements(const ck_winograd_params *w) {
    return ck_winograd_panels(w) * (size_t)((w->tile + 2) * (w->tile + 2)) * (size_t)w->conv.in_c * CK_PANEL;
}
