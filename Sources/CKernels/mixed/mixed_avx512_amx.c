/* The product by AMX: 32 × 32 sums in four tiles, of two tiles of A and two of B for each 32 of k. */
#define CK_AMX 1
#include "../vector/avx512.h"

#if defined(CK_HAVE_ISA) && !defined(APUS_INFERENCE)
#include <string.h>

#include "mixed_tiles.h"

#define TILE_ROW_BYTES 64
#define WIDE (2 * CK_MIXED_LINES)

enum { SUM_00, SUM_01, SUM_10, SUM_11, A_0, A_1, B_0, B_1, TILES };

static void configure(void) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } shapes = {.palette = 1};
    for (int i = 0; i < TILES; i++) {
        shapes.row_bytes[i] = TILE_ROW_BYTES;
        shapes.rows[i] = CK_MIXED_LINES;
    }
    _tile_loadconfig(&shapes);
}

/* Where the sums of a block go: C where the block is whole, or a place apart. */
typedef struct {
    float *sums;
    int64_t pitch;
} target;

/* Two strips of rows by two of columns, or one where there is no next; sums begin at `start`, or at 0. */
V_INLINE void tile_sums(const uint32_t *a, int64_t a_next, const uint32_t *b, int64_t b_next, int64_t tiles, const float *start,
                        target to) {
    if (start) { /* every row the same */
        _tile_loadd(SUM_00, start, 0);
        _tile_loadd(SUM_01, start + CK_MIXED_LINES, 0);
        _tile_loadd(SUM_10, start, 0);
        _tile_loadd(SUM_11, start + CK_MIXED_LINES, 0);
    } else {
        _tile_zero(SUM_00);
        _tile_zero(SUM_01);
        _tile_zero(SUM_10);
        _tile_zero(SUM_11);
    }
    for (int64_t t = 0; t < tiles; t++, a += MIXED_TILE, b += MIXED_TILE) {
        _tile_loadd(B_0, b, TILE_ROW_BYTES);
        _tile_loadd(A_0, a, TILE_ROW_BYTES);
        _tile_dpbf16ps(SUM_00, A_0, B_0);
        if (b_next) {
            _tile_loadd(B_1, b + b_next, TILE_ROW_BYTES);
            _tile_dpbf16ps(SUM_01, A_0, B_1);
        }
        if (a_next) {
            _tile_loadd(A_1, a + a_next, TILE_ROW_BYTES);
            _tile_dpbf16ps(SUM_10, A_1, B_0);
            if (b_next) _tile_dpbf16ps(SUM_11, A_1, B_1);
        }
    }
    const size_t pitch = (size_t)to.pitch * sizeof *to.sums;
    _tile_stored(SUM_00, to.sums, pitch);
    _tile_stored(SUM_01, to.sums + CK_MIXED_LINES, pitch);
    _tile_stored(SUM_10, to.sums + CK_MIXED_LINES * to.pitch, pitch);
    _tile_stored(SUM_11, to.sums + CK_MIXED_LINES * to.pitch + CK_MIXED_LINES, pitch);
}

void ck_mixed_avx512_amx(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    const ck_mixed_params *p = params;
    const int64_t strip = mixed_strip(p->k), tiles = strip / MIXED_TILE;
    (void)lane;
    configure();
    for (size_t unit = begin; unit < end; unit++) {
        const mixed_block block = mixed_block_at(p, operands, unit);
        const int64_t a_next = block.rows > CK_MIXED_LINES ? strip : 0;
        float start[MIXED_COLUMNS];
        for (int64_t j = 0; j < block.columns; j += CK_MIXED_LINES) mixed_begin(p, operands, block.column + j, start + j);
        for (int64_t j = 0; j < block.columns; j += WIDE) {
            const int64_t columns = mixed_min(WIDE, block.columns - j), b_next = columns > CK_MIXED_LINES ? strip : 0;
            const int whole = columns == WIDE && block.rows == WIDE;
            float apart[WIDE * WIDE];
            const target to = whole ? (target){block.c + j, p->c_row_stride} : (target){apart, WIDE};
            tile_sums(block.a, a_next, block.b + j / CK_MIXED_LINES * strip, b_next, tiles, p->has_bias ? start + j : NULL, to);
            if (whole) continue;
            for (int64_t i = 0; i < block.rows; i++)
                memcpy(block.c + i * p->c_row_stride + j, apart + i * WIDE, (size_t)columns * sizeof *apart);
        }
    }
    _tile_release();
}
#endif
#include "../vector/end.h"
