/* Recurrent layers: a cell that goes over time, from what the inputs give every step, x = input·W + b.
 *
 * With h, c the state before the step, R[g] the recurrence of gate g and σ the sigmoid:
 *   RNN   h = act(x + h·R)                                                                      (Elman 1990)
 *   GRU   r = σ(x_r + h·R_r), z = σ(x_z + h·R_z), h = (1 − z)·n + z·h                           (Cho et al. 2014)
 *         n = tanh(x_n + (r·h)·R_n), or with the reset after the product tanh(x_n + r·(h·R_n + b))
 *   LSTM  i, f, o = σ(…), g = tanh(…), c = f·c + i·g, h = o·tanh(c)                             (Gers et al. 2000)
 * Gates in this order: RNN h; GRU r, z, n; LSTM i, f, g, o. From a sequence's length on its y is 0 and its state stays. */
#ifndef CK_RECURRENT_H
#define CK_RECURRENT_H

#include "ck_gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { CK_RNN, CK_GRU, CK_LSTM, CK_CELLS } ck_cell;

/* What makes h·R of integer weights W [hidden][gates · hidden] in panels of four rows, the gates side by side. */
typedef enum {
    CK_STATE_REAL,
    CK_STATE_CODES,      /* ck_product8, of rows by ck_quantize_rows */
    CK_STATE_WEIGHTS,    /* ck_weight_only */
    CK_STATE_NARROW_CODES /* ck_weight_only_codes */
} ck_state_integers;

typedef struct {
    int64_t batch, time, hidden;
    int64_t block; /* batch entries a unit; results do not depend on it */
    int64_t x_row_stride, x_time_stride; /* between batch entries, between steps; gates × hidden elements lie together */
    int64_t y_row_stride, y_time_stride;
    int32_t cell;       /* ck_cell */
    int32_t reverse;    /* from the last step to the first */
    int32_t has_lengths, length_dtype; /* CK_I32 or CK_I64, one a batch entry */
    int32_t has_state;  /* h, for LSTM c too; else zeros */
    int32_t reset_after;
    int32_t narrow;     /* R is of a 16-bit type */
    int32_t keeps;      /* what the gradient reads is an output too */
    int32_t has_mask;   /* in products the state is m·h, m[hidden] one a batch entry */
    int32_t has_dy, has_dh, has_dc; /* of the gradient: what arrives */
    ck_activation_params activation; /* of RNN */
    ck_task product;    /* ck_gemm for the types of h and R */
    int32_t integers;   /* ck_state_integers: whether W of integers is in the place of R */
    int32_t weights;    /* its type: CK_I8, or with blocks CK_I4 */
    int32_t has_zeros, isa, integer_isa;
    int64_t weight_block;
    ck_task slope;      /* of the gradient of RNN: ck_activation_gradient; NULL: act(x) = x */
} ck_recurrent_params;

/* operands: x, R[gates][hidden, hidden] in panels, or W with sums of its columns i32 and scales f32 [gates · hidden], or with scales f16 and if
 * has_zeros zero points i8 of ck_weight_only; b[hidden] if reset_after, lengths if there are, h and c if there are,
 * m[batch][hidden] if has_mask, y[hidden at the strides], h[batch][hidden], c for LSTM, if `keeps` what is kept, workspace of ck_recurrent_workspace bytes.
 * f32 (reference, AVX2, AVX-512), f64 (reference). Unit: a block of batch entries.
 *
 * With integer weights, of f32 in inference, all variants give the same bits: sums, products and functions are rounded one by one, and
 *   tanh v = v'·p / q, v' = min(max(v, −8), 8), p and q by fused multiply-adds from CK_TANH in v'²; σ(v) = fma(½, tanh(½v), ½).
 *
 * Kept at every step, hidden elements each, one after the other, in the order of y: RNN x + h·R; GRU r, z, n and with
 * reset_after u = h·R_n + b; LSTM i, f, g, o, c. Zeros from a sequence's length on. */
ck_task ck_recurrent(ck_dtype dtype, ck_isa isa);
/* The same with integer weights (reference, AVX2). */
ck_task ck_recurrent_codes(ck_isa isa);
size_t ck_recurrent_units(const ck_recurrent_params *params);
/* Enough for every smaller batch of which `block` is made for as many lanes. */
size_t ck_recurrent_workspace(const ck_recurrent_params *params, ck_dtype dtype, int lanes);

/* Back-propagation through time: from dy, and the gradients dh, dc at the last state, to those at x and the first state.
 * operands: y, kept, R[gates]ᵀ in panels, lengths if there are, h and c if there are, m if has_mask, dy, dh, dc where they arrive; dx
 * like x, before[hidden] in the order of y, the state each step began with, times m; of GRU `inner` like it: r times that, or with
 * reset_after du, the gradient at u; if has_state dh, for LSTM dc; workspace of ck_recurrent_gradient_workspace bytes.
 * dR[g] = Σ beforeᵀ·dx[g], but of GRU's n Σ innerᵀ·dx[n], or with reset_after Σ beforeᵀ·inner. Variants: as ck_recurrent. */
ck_task ck_recurrent_gradient(ck_dtype dtype, ck_isa isa);
size_t ck_recurrent_gradient_units(const ck_recurrent_params *params);
size_t ck_recurrent_gradient_workspace(const ck_recurrent_params *params, ck_dtype dtype, int lanes);

/* tanh on −8 … 8, to 4.5e-7: coefficients from the highest power to the lowest. */
#define CK_TANH_TOP {-0x1.9db0cep-28f, 0x1.db5cbap-18f, 0x1.5fdcb6p-9f, 0x1.04176ep-3f, 0x1.ffffe0p-1f}
#define CK_TANH_BOTTOM {0x1.999264p-13f, 0x1.758330p-6f, 0x1.d76028p-2f, 1}

/* Entries of a block for which `lanes` threads have equally much to do. */
int64_t ck_recurrent_block(int64_t batch, int lanes);

/* 1, 3 or 4. */
static inline int64_t ck_recurrent_gates(int32_t cell) { return cell == CK_LSTM ? 4 : cell == CK_GRU ? 3 : 1; }
/* How many times `hidden` elements a step keeps. */
static inline int64_t ck_recurrent_kept(int32_t cell, int32_t reset_after) {
    return cell == CK_LSTM ? 5 : cell == CK_GRU ? 3 + (reset_after != 0) : 1;
}

#ifdef __cplusplus
}
#endif
#endif
