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

typedef struct {
    int64_t batch, time, hidden;
    int64_t x_row_stride, x_time_stride; /* between batch entries, between steps; gates × hidden elements lie together */
    int64_t y_row_stride, y_time_stride;
    int32_t cell;       /* ck_cell */
    int32_t reverse;    /* from the last step to the first */
    int32_t has_lengths, length_dtype; /* CK_I32 or CK_I64, one a batch entry */
    int32_t has_state;  /* h, for LSTM c too; else zeros */
    int32_t reset_after;
    ck_activation_params activation; /* of RNN */
    ck_task product;    /* ck_gemm for the types of h and R */
} ck_recurrent_params;

/* operands: x, R[gates][hidden, hidden] in panels, b[hidden] if reset_after, lengths if there are, h and c if there are,
 * y[hidden at the strides], h[batch][hidden], c for LSTM, workspace of ck_recurrent_workspace bytes.
 * f32 (reference, AVX2, AVX-512). Unit: a block of batch entries. */
ck_task ck_recurrent(ck_dtype dtype, ck_isa isa);
size_t ck_recurrent_units(const ck_recurrent_params *params);
size_t ck_recurrent_workspace(const ck_recurrent_params *params, int lanes);

/* 1, 3 or 4. */
static inline int64_t ck_recurrent_gates(int32_t cell) { return cell == CK_LSTM ? 4 : cell == CK_GRU ? 3 : 1; }

#ifdef __cplusplus
}
#endif
#endif
