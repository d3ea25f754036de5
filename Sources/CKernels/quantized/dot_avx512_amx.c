/* Integer products by AMX. A tile is 16 rows of 64 bytes: of A as they were gathered, of B as a panel lies. A sum whose
 * products are no multiple of 64 ends in tiles cut to the rest. */
#define CK_AMX 1
#include "../vector/avx512.h"

#if defined(CK_HAVE_ISA)
#include <string.h>

#include "product_tile.h"
#include "quantized_tasks.h"

#define TILE_SHIFT 4
#define TILE_ROWS (1 << TILE_SHIFT)
#define TILE_LINE 64 /* bytes of a cache's */
#define TILE_FOURS 16 /* rows of four products that a tile holds of B, and columns of A */

/* What the eight tiles are: sums first, of rows 2 · i and columns i. */
enum { SUM_00, SUM_01, SUM_10, SUM_11, A, B, A_REST, B_REST, TILES };

typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes;

static void tile_configure(size_t depth) {
    tile_shapes s = {.palette = 1};
    for (int i = 0; i < TILES; i++) {
        s.row_bytes[i] = 4 * TILE_FOURS;
        s.rows[i] = TILE_ROWS;
    }
    const size_t rest = depth % TILE_FOURS;
    if (rest > 0) {
        s.row_bytes[A_REST] = (uint16_t)(4 * rest);
        s.rows[B_REST] = (uint8_t)rest;
    }
    _tile_loadconfig(&s);
}

/* One step of all sums over the tiles a and b. */
#define TILE_STEP(a, b)                                                  \
    _tile_loadd(a, u, pitch);                                            \
    _tile_loadd(b, w, 4 * CK_PANEL);                                     \
    _tile_dpbusd(SUM_00, a, b);                                          \
    if (panels == 2) {                                                   \
        _tile_loadd(b, w + panel, 4 * CK_PANEL);                         \
        _tile_dpbusd(SUM_01, a, b);                                      \
    }                                                                    \
    if (rows == 2) {                                                     \
        _tile_loadd(a, u + TILE_ROWS * pitch, pitch);                    \
        if (panels == 2) _tile_dpbusd(SUM_11, a, b);                     \
        _tile_loadd(b, w, 4 * CK_PANEL);                                 \
        _tile_dpbusd(SUM_10, a, b);                                      \
    }

/* The sums of one or two panels from `first` on, into rows of `wide`. */
V_INLINE void tile_any(const product_tile *t, const int rows, const int panels, size_t first, size_t wide) {
    const size_t pitch = t->u_pitch, panel = t->panel_bytes;
    const int8_t *w = t->w + first * panel;
    const int32_t *c = t->c + first * CK_PANEL;
    int32_t *sums = t->sums + first * CK_PANEL;
    const size_t whole = t->depth / TILE_FOURS, rest = t->depth % TILE_FOURS;
    const char *ahead = (const char *)((uintptr_t)t->w + t->ahead + first / 2 * whole * t->lines * t->fetch * TILE_LINE);
    if (PRODUCT_BARE(wide)) {
        _tile_zero(SUM_00);
        _tile_zero(SUM_01);
        _tile_zero(SUM_10);
        _tile_zero(SUM_11);
    } else { /* every row of c the same */
        _tile_loadd(SUM_00, c, 0);
        if (panels == 2) _tile_loadd(SUM_01, c + CK_PANEL, 0);
        if (rows == 2) _tile_loadd(SUM_10, c, 0);
        if (rows == 2 && panels == 2) _tile_loadd(SUM_11, c + CK_PANEL, 0);
    }
    for (size_t line = 0; line < t->lines; line++) {
        const uint8_t *u = t->u + line * t->down;
        for (size_t k = whole; k > 0; k--) {
            TILE_STEP(A, B)
            for (size_t n = t->fetch; n > 0; n--, ahead += TILE_LINE) __builtin_prefetch(ahead, 0, 2);
            u += 4 * TILE_FOURS;
            w += 4 * TILE_FOURS * CK_PANEL;
        }
        if (rest > 0) {
            TILE_STEP(A_REST, B_REST)
            w += 4 * rest * CK_PANEL;
        }
    }
    _tile_stored(SUM_00, sums, wide * sizeof *sums);
    if (panels == 2) _tile_stored(SUM_01, sums + CK_PANEL, wide * sizeof *sums);
    if (rows == 2) _tile_stored(SUM_10, sums + TILE_ROWS * wide, wide * sizeof *sums);
    if (rows == 2 && panels == 2) _tile_stored(SUM_11, sums + TILE_ROWS * wide + CK_PANEL, wide * sizeof *sums);
}

#define TILE_KERNELS(rows)                                                                             \
    static void tile_##rows##x1(const product_tile *t) { tile_any(t, rows, 1, 0, CK_PANEL); }          \
    static void tile_##rows##x2(const product_tile *t) { tile_any(t, rows, 2, 0, 2 * CK_PANEL); }      \
    static void tile_##rows##x4(const product_tile *t) {                                               \
        for (size_t first = 0; first < 4; first += 2) tile_any(t, rows, 2, first, 4 * CK_PANEL);       \
    }
TILE_KERNELS(1)
TILE_KERNELS(2)

void ck_product8_avx512_amx(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    static const product_micro table[][4] = {{tile_1x1, tile_1x2, tile_1x4}, {tile_2x1, tile_2x2, tile_2x4}};
    static const product_kernels kernels = {table, 2 * TILE_ROWS, TILE_SHIFT, tile_configure};
    product_run_avx512(params, operands, begin, end, lane, &kernels);
    _tile_release();
}
#include "../vector/end.h"
#endif
