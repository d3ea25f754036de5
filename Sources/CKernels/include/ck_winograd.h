/* Convolution of 3 × 3 taps by minimal filtering (Winograd 1980; Lavin and Gray 2016): F(m × m, 3 × 3), m = 2 or 4.
 *
 * With g the taps and d the (m + 2)² source pixels under a tile of m × m result pixels, both of one channel,
 *
 *   y = Aᵀ [Σ over channels (G g Gᵀ) ⊙ (Bᵀ d B)] A,
 *
 * (m + 2)² multiplications a channel in place of 9·m². The points are 0, ±1, ∞ for m = 2 and 0, ±1, ±2, ∞ for m = 4:
 *
 *        m = 2:  1  0 −1  0       1    0    0      1  1  1  0
 *            Bᵀ  0  1  1  0   G  1/2  1/2  1/2  Aᵀ 0  1 −1 −1
 *                0 −1  1  0      1/2 −1/2  1/2
 *                0  1  0 −1       0    0    1
 *
 *        m = 4:  4  0 −5  0  1  0       1/4    0     0       1  1  1  1  1  0
 *            Bᵀ  0 −4 −4  1  1  0   G  −1/6  −1/6  −1/6  Aᵀ  0  1 −1  2 −2  0
 *                0  4 −4 −1  1  0      −1/6   1/6  −1/6      0  1  1  4  4  0
 *                0 −2 −1  2  1  0      1/24  1/12   1/6      0  1 −1  8 −8  1
 *                0  2 −1 −2  1  0      1/24 −1/12   1/6
 *                0  4  0 −5  0  1        0     0     1
 *
 * The input gradient turns every step around: of tiles of m × m pixels of dY, which are fewer than those of dX where it is larger,
 *
 *   dX = Σ over tiles of B [Σ over channels (G g Gᵀ) ⊙ (A dy Aᵀ)] Bᵀ,
 *
 * each added to the (m + 2)² pixels that its y would read, tile after tile.
 *
 * conv/winograd_transform.inc states every rounding of the transforms. A product is one chain of fused multiply-adds
 * that starts at 0 and takes the channels in order; every variant gives the same bits before the activation.
 */
#ifndef CK_WINOGRAD_H
#define CK_WINOGRAD_H

#include "ck_conv.h"

#ifdef __cplusplus
extern "C" {
#endif

/* kernel 3 × 3, strides, dilations and groups 1. */
typedef struct {
    ck_conv_params conv;
    int32_t tile;       /* m */
    int32_t transposed; /* the input gradient, whose `in` is dY and whose `out` is dX; no bias, residual or activation */
} ck_winograd_params;

/* Y = act(X * W + bias + residual), or dX = dY *ᵀ W.
 * operands: X, U, [bias], [residual], Y, workspace of ck_winograd_workspace bytes; dY, U, dX, workspace. f32, f64 (reference only).
 * U = G g Gᵀ in panels: [ceil(out_c / 16)][(m + 2)²][in_c][16]. A unit is a block of tiles × 32 or 64 channels; of the gradient, which
 * there is in training alone, some pictures × 64 channels. */
ck_task ck_winograd(const ck_winograd_params *params, ck_dtype dtype, ck_isa isa);
size_t ck_winograd_units(const ck_winograd_params *params);
size_t ck_winograd_workspace(const ck_winograd_params *params, ck_dtype dtype, int lanes);

/* operands: W (plain, [3][3][in_c][out_c], or [3][3][out_c][in_c] if transposed), U. A unit is one panel. */
ck_task ck_winograd_pack(ck_dtype dtype, ck_isa isa);
size_t ck_winograd_panels(const ck_winograd_params *params);
size_t ck_winograd_panel_elements(const ck_winograd_params *params);

#ifdef __cplusplus
}
#endif
#endif
