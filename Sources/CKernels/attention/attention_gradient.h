/* How the gradient of attention cuts its work and its workspace, the same for every type. Counts are of elements. */
#ifndef CK_ATTENTION_GRADIENT_H
#define CK_ATTENTION_GRADIENT_H

#include "attention_variants.h"

static inline int64_t gradient_round_up(int64_t a) { return (a + CK_PANEL - 1) / CK_PANEL * CK_PANEL; }

/* Where the parts of a lane's workspace begin: panels of kᵀ, vᵀ and k, of a block's q and dy, its p and d; then its size. */
typedef struct {
    int64_t keys_across, values_across, keys, queries, results, weights, scores, size;
} gradient_layout;

static inline gradient_layout gradient_layout_of(const ck_attention_params *p) {
    const int64_t rows = attention_rows(p), tile = rows * attention_pitch(p);
    gradient_layout at = {.values_across = ck_panels_size(p->size, p->keys)};
    at.keys = at.values_across + ck_panels_size(p->value_size, p->keys);
    at.queries = at.keys + gradient_round_up(ck_panels_size(p->keys, p->size));
    at.results = at.queries + ck_panels_size(rows, p->size);
    at.weights = at.results + ck_panels_size(rows, p->value_size);
    at.scores = at.weights + tile;
    at.size = at.scores + tile;
    return at;
}
#endif
