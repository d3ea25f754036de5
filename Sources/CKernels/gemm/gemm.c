#include "gemm_variants.h"

#include "gemm_grid.h"
#include "unit_order.h"

gemm_grid gemm_grid_of(const ck_gemm_params *p) {
    gemm_grid g = {1, 1, 1, 1, 1, 1};
    int64_t panels = gemm_panels(p->n);
    /* Work in multiply-adds; to fetch a weight costs about as much as eight of them. */
    const double smallest = 1 << 18;
    double per_cell = (double)(p->k + 8) * CK_PANEL;
    double work = per_cell * (double)(p->m + 8) * (double)panels;
    if (work <= smallest) {
        g.group = panels;
        g.tiles = p->m <= GEMM_ROWS ? 1 : gemm_ceil_div(p->m, GEMM_ROWS);
        return g;
    }
    double wanted = work / 64 > smallest ? work / 64 : smallest;
    g.group = p->m > GEMM_ROWS / 2 ? 2 : 4;
    g.tiles = gemm_ceil_div(p->m, GEMM_ROWS);
    g.groups = gemm_ceil_div(panels, g.group);
    int64_t height = 1, width = 1;
    double tile = per_cell * (double)(gemm_min(p->m, GEMM_ROWS) + 8) * (double)g.group;
    const int64_t fitting = GEMM_BLOCK_WEIGHTS / (p->k > 0 ? p->k : 1);
    const int64_t columns = fitting > GEMM_BLOCK_COLUMNS ? fitting : GEMM_BLOCK_COLUMNS;
    int64_t widest = gemm_min(g.groups, columns / CK_PANEL / g.group);
    while (width < widest && tile * (double)width < wanted) width++;
    int64_t highest = gemm_min(g.tiles, GEMM_BLOCK_ROWS);
    while (height < highest && tile * (double)(width * height) < wanted) height++;
    g.row_blocks = gemm_ceil_div(g.tiles, height);
    g.column_blocks = gemm_ceil_div(g.groups, width);
    if (p->batch == 1 && (double)p->k * (double)p->n <= (double)p->m * (double)(p->k + p->n))
        g.stretches = gemm_min(g.row_blocks, 2 * gemm_ceil_div(p->m, 2 * GEMM_STRETCH));
    if (g.stretches > 1) { /* two halves of equal height */
        g.tiles += g.tiles % 2;
        g.row_blocks += g.row_blocks % 2;
    }
    return g;
}

/* Row block i begins here. */
static int64_t gemm_first_row(const ck_gemm_params *p, const gemm_grid *g, int64_t i) {
    return i * g->tiles / g->row_blocks * p->m / g->tiles;
}

gemm_block gemm_block_at(const ck_gemm_params *p, const gemm_grid *g, size_t unit) {
    const int64_t panels = gemm_panels(p->n);
    const size_t cells = (size_t)(g->row_blocks * g->column_blocks);
    if (cells == 1) return (gemm_block){(int64_t)unit, 0, p->m, 0, panels, 1};
    const ck_cell cell = ck_cell_at(unit % cells, (size_t)g->row_blocks, (size_t)g->column_blocks, (size_t)g->stretches);
    const int64_t row = (int64_t)cell.row, column = (int64_t)cell.column;
    return (gemm_block){
        .batch = (int64_t)(unit / cells), .row = gemm_first_row(p, g, row), .row_end = gemm_first_row(p, g, row + 1),
        .panel = column * g->groups / g->column_blocks * g->group,
        .panel_end = gemm_min((column + 1) * g->groups / g->column_blocks * g->group, panels),
        .left = cell.left};
}

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
