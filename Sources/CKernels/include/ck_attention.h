/* Scaled dot-product attention (Vaswani et al. 2017) of several heads, over packed keys and values.
 *
 * For a query i of head h, over the keys j it sees:
 *   s[j] = scale·(q[i]·k[j]) + mask[j],  e[j] = e^(s[j] − max s),  y[i] = (Σ e[j]·v[j]) / Σ e[j]
 * The dot product and the sum over j are chains as in ck_gemm.h, so that a query's bits depend on nothing but its own row and
 * the keys it sees: not on how many queries there are, nor on keys after those. A query that sees -inf alone gets NaN.
 */
#ifndef CK_ATTENTION_H
#define CK_ATTENTION_H

#include "ck_gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t batch, queries, keys, heads;
    int64_t group;                  /* heads that share one head of keys and values; divides heads */
    int64_t size, value_size;       /* of a head's query and key, of its value */
    int64_t mask_batch_stride, mask_head_stride, mask_query_stride; /* 0 where it is the same for all */
    float scale;
    int32_t has_mask;
    int32_t causal;                 /* query i sees the keys 0 ... i + keys − queries */
    int32_t cache_dtype;            /* of ck_cached_attention: CK_F32, CK_F16, CK_BF16 or CK_I8 */
    ck_task product;                /* ck_gemm of f32 by what keys and values are */
} ck_attention_params;

/* operands: q[batch][queries][heads · size], k in panels [batch][heads / group] of [size, keys], v in panels [batch][heads /
 * group] of [keys, value_size], mask[…][keys] if there is one, y[batch][queries][heads · value_size], workspace of
 * ck_attention_workspace bytes. f32 (reference, AVX2, AVX-512), f64 (reference). Unit: a block of queries of one head. */
ck_task ck_attention(ck_dtype dtype, ck_isa isa);
size_t ck_attention_units(const ck_attention_params *params);
size_t ck_attention_workspace(const ck_attention_params *params, int lanes);

/* The same for the next elements of a stream, causal and without a mask. The keys and values of the last `keys` elements lie
 * in two rings, element i in slot i mod keys: k in panels [batch][heads / group] of [size, keys], v in panels of [keys,
 * value_size]. Element position + t enters the rings, then query t sees those that came no later. Until the rings are full a query
 * has the bits that ck_attention gives it.
 *
 * In i8 the rings hold codes, one scale to a slot of a head, greatest magnitude / 127: code = x / scale to the nearest integer,
 * ties to even. s[j] is then scale·(q[i]·code)·key_scale[j], and y[i] sums (e[j]·value_scale[j])·code. A key or value that is not
 * finite has codes 0 of scale NaN.
 *
 * operands: q[batch][queries][heads · size], k[batch][queries][heads / group · size], v[batch][queries][heads / group ·
 * value_size], rings of keys and of values before, position[1] i64 (below 0 counts as 0), of i8 the scales of keys and of values
 * [batch][heads / group][keys] f32 before, y, rings after (the same memory or other), of i8 the scales after (likewise), workspace
 * of ck_attention_workspace bytes. queries ≤ keys. Unit: one head of keys and values. */
ck_task ck_cached_attention(ck_dtype cache, ck_isa isa);
size_t ck_cached_attention_units(const ck_attention_params *params);

/* The gradients: with p[i][j] = e[j] / Σ e of query i and c[i][j] = dy[i]·v[j],
 *   dv[j] = Σ_i p[i][j]·dy[i],  d[i][j] = scale·p[i][j]·(c[i][j] − Σ_l p[i][l]·c[i][l]),
 *   dq[i] = Σ_j d[i][j]·k[j],   dk[j] = Σ_i d[i][j]·q[i]
 * Sums over i are chains over ascending i, head after head of those that share k and v. p is computed again from q and k, a
 * block of queries at a time. */
typedef struct {
    ck_attention_params attention; /* `product` as the dtype wants it */
    ck_task pack;                  /* ck_pack_panels of the same dtype */
} ck_attention_gradient_params;

/* operands: q, k, v, mask if there is one, dy[batch][queries][heads · value_size], dq, dk, dv, workspace of
 * ck_attention_gradient_workspace bytes; all but the mask plain as q. f32 (reference, AVX2, AVX-512), f64 (reference). Unit: the
 * heads that share one head of keys and values. */
ck_task ck_attention_gradient(ck_dtype dtype, ck_isa isa);
size_t ck_attention_gradient_units(const ck_attention_gradient_params *params);
size_t ck_attention_gradient_workspace(const ck_attention_gradient_params *params, ck_dtype dtype, int lanes);

#ifdef __cplusplus
}
#endif
#endif
