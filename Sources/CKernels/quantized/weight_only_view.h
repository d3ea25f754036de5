/* How a product of reals by integer weights is cut into units: rows × panels. */
#ifndef CK_QUANTIZED_WEIGHT_ONLY_VIEW_H
#define CK_QUANTIZED_WEIGHT_ONLY_VIEW_H

#include "product_view.h"

#define WEIGHT_ROWS 64  /* of Y in a unit */
#define WEIGHT_PANELS 8 /* in a unit */

typedef struct {
    size_t row, rows, panel, panels;
} weight_block;

/* Consecutive units share their panels. */
PRODUCT_INLINE weight_block weight_block_of(const ck_weight_only_params *p, size_t unit) {
    const size_t down = product_ceil((size_t)p->m, WEIGHT_ROWS), across = product_ceil((size_t)p->n, CK_PANEL);
    const size_t row = unit % down * WEIGHT_ROWS, panel = unit / down * WEIGHT_PANELS;
    return (weight_block){row, product_min((size_t)p->m - row, WEIGHT_ROWS), panel,
                          product_min(across - panel, WEIGHT_PANELS)};
}

/* Bytes of a panel, [ceil(k / 4)][16][4]. */
PRODUCT_INLINE size_t weight_panel_bytes(const ck_weight_only_params *p, int i4) {
    return product_ceil((size_t)p->k, 4) * (i4 ? 2 : 4) * CK_PANEL;
}
#endif
