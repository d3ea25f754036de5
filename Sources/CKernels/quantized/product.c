/* The choosers and the unit counts of integer products. */
#include "product_winograd.h"
#include "quantized_tasks.h"

/* Fewer rows, or sums of fewer products, are faster by VNNI than by tiles. */
#define AMX_ROWS 8
#define AMX_DEPTH 36

#if defined(__x86_64__)
#define CHOOSE(base, isa)                                   \
    switch ((int)(isa)) {                                   \
    case CK_ISA_AVX512_AMX: /* but for products of tiles: */ \
    case CK_ISA_AVX512_VNNI: return base##_avx512_vnni;     \
    case CK_ISA_AVX_VNNI: return base##_avx_vnni;           \
    case CK_ISA_AVX512: /* whose processors without VNNI are few: */ \
    case CK_ISA_AVX2: return base##_avx2;                   \
    default: return base##_reference;                       \
    }
#else
#define CHOOSE(base, isa) return (void)(isa), base##_reference;
#endif

static int product_by_amx(const ck_conv_params *g, ck_isa isa) {
    const product_view v = product_view_of(g);
    return isa == CK_ISA_AVX512_AMX && v.pixels >= AMX_ROWS && v.k >= AMX_DEPTH;
}

ck_task ck_product8(const ck_product8_params *p, ck_isa isa) {
    (void)p, (void)isa;
#if defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
    if (isa == CK_ISA_NEON) return ck_product8_neon;
#endif
#if defined(__x86_64__)
    if (product_by_amx(&p->geometry, isa)) return ck_product8_avx512_amx;
#endif
    CHOOSE(ck_product8, isa)
}

int32_t ck_product8_pools(const ck_product8_params *p, ck_isa isa) {
    /* AMX leaves such sums to VNNI however many pixels there are: steps must not change with the size of a dimension. */
    const int is_short = product_view_of(&p->geometry).k < AMX_DEPTH;
    return (isa == CK_ISA_AVX512_VNNI || (isa == CK_ISA_AVX512_AMX && is_short)) && !p->has_residual && !p->real_output;
}

size_t ck_product8_units(const ck_product8_params *p, ck_isa isa) {
    const product_view v = product_view_by(&p->geometry, product_by_amx(&p->geometry, isa));
    const size_t blocks = winograd8_takes(&p->geometry, isa) ? winograd8_view_of(&p->geometry).blocks : v.blocks;
    return blocks * (size_t)p->geometry.groups * v.chunks;
}

size_t ck_product8_lane_bytes(const ck_product8_params *p, ck_isa isa) {
    if (winograd8_takes(&p->geometry, isa)) {
        const winograd8_view w = winograd8_view_of(&p->geometry);
        return winograd8_lane_bytes(&w);
    }
    product_view v = product_view_by(&p->geometry, product_by_amx(&p->geometry, isa));
    const int words = product_words(&v, isa);
    if (words) v.pitch *= 2;
    /* A tile of six rows reads up to four past a block's, which are a multiple of 16. */
    return product_rows_bytes(&v) + (words ? 2 * v.panel_bytes + 4 * v.pitch : 0);
}

ck_task ck_depthwise8(const ck_product8_params *p, ck_isa isa) {
    const size_t fours = product_ceil((size_t)p->geometry.kernel_h, 4) * (size_t)p->geometry.kernel_w;
    if (fours > DEPTHWISE_FOURS || p->geometry.in_c != p->geometry.out_c) isa = CK_ISA_REFERENCE;
    CHOOSE(ck_depthwise8, isa)
}

size_t ck_depthwise8_units(const ck_product8_params *p) {
    return (size_t)p->geometry.batch * (size_t)p->geometry.out_h;
}

/* ---- Panels ---- */

static int at8(const uint8_t *p, size_t i) { return p[i]; }
static void set8(uint8_t *p, size_t i, int x) { p[i] = (uint8_t)x; }
static int at4(const uint8_t *p, size_t i) { return p[i / 2] >> 4 * (i % 2) & 15; }
static void set4(uint8_t *p, size_t i, int x) {
    p[i / 2] = (uint8_t)(i % 2 ? (p[i / 2] & 15) | x << 4 : (p[i / 2] & 0xf0) | x);
}

#define PANELS4(NAME, GET, SET, PACKS)                                                                              \
    static void NAME(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {          \
        (void)lane;                                                                                                 \
        const ck_conv_params *g = params;                                                                           \
        const product_view v = product_view_of(g);                                                                  \
        uint8_t *plain = operands[!PACKS], *panels = operands[PACKS];                                               \
        for (size_t unit = begin; unit < end; unit++) {                                                             \
            const size_t group = unit / v.panels, first = unit % v.panels * CK_PANEL;                               \
            for (size_t i = 0; i < v.panel_bytes; i++) {                                                            \
                const size_t k = i / (4 * CK_PANEL) * 4 + i % 4, column = first + i / 4 % CK_PANEL;                 \
                const size_t at = k * (size_t)g->out_c + group * v.columns + column, to = unit * v.panel_bytes + i; \
                const int there = k < v.k && column < v.columns;                                                    \
                if (PACKS) SET(panels, to, there ? GET(plain, at) : 0);                                             \
                else if (there) SET(plain, at, GET(panels, to));                                                    \
            }                                                                                                       \
        }                                                                                                           \
    }
PANELS4(pack8, at8, set8, 1)
PANELS4(unpack8, at8, set8, 0)
PANELS4(pack4, at4, set4, 1)
PANELS4(unpack4, at4, set4, 0)

ck_task ck_pack_panels4(ck_dtype dtype) { return dtype == CK_I8 ? pack8 : dtype == CK_I4 ? pack4 : NULL; }
ck_task ck_unpack_panels4(ck_dtype dtype) { return dtype == CK_I8 ? unpack8 : dtype == CK_I4 ? unpack4 : NULL; }
size_t ck_panels4_units(const ck_conv_params *g) { return (size_t)g->groups * product_view_of(g).panels; }
