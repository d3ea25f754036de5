/* What is made of e^x, without tables; exponential_avx512.h has the same functions. Included by math.h only. */
#ifndef CK_VECTOR_EXPONENTIAL_H
#define CK_VECTOR_EXPONENTIAL_H

/* e^x: 1.1 ULP. */
V_INLINE vf v_exp(vf x) {
    vf n, r = v_exp_reduce(v_clamp(x, -104.0f, 89.0f), &n);
    return v_ldexp(v_add(v_expm1_rest(r), v_set(1.0f)), n);
}

#define V_EXP_SHIFTER 0x1.8p23f /* a sum with it ends at 1: its low bits are a whole number */
/* n = round(x / ln 2) as *scale = 2^(n + raised), for n + raised > −127; returns the rest r = x − n·ln 2. */
V_INLINE vf v_exp_split(vf x, int32_t raised, vf *scale) {
    vf k = v_fma(x, v_set(0x1.715476p+0f), v_set(V_EXP_SHIFTER)), n = v_sub(k, v_set(V_EXP_SHIFTER));
    *scale = v_from_bits(vi_add(vi_shl(v_bits(k), 23), vi_set((127 + raised) << 23)));
    return v_fnma(n, v_set(V_LN2_LO), v_fnma(n, v_set(V_LN2_HI), x));
}

/* e^x for x ≤ 0: 1.1 ULP. */
V_INLINE vf v_exp_below(vf x) {
    vf scale, r = v_exp_split(v_max(v_set(-104.0f), x), 24, &scale);
    return v_mul(v_fma(v_expm1_rest(r), scale, scale), v_set(0x1p-24f));
}

/* e^x for x ≤ 0 where the small ones do not count: 0 below −87.3, so that no lane pays for a denormal. */
V_INLINE vf v_exp_negative(vf x) {
    vf scale, r = v_exp_split(v_max(v_set(-87.3f), x), 0, &scale);
    vf y = v_fma(v_expm1_rest(r), scale, scale);
    return v_select(v_lt(x, v_set(-87.3f)), v_zero(), y);
}

/* (numerator or +0) / (1 + e^−x): 0 below −88. Of all functions the one that networks run most: as few operations as can be, of
 * which those that wait for another count less. */
V_INLINE vf v_logistic(vf numerator, vf x) {
    const vf shifter = v_set(V_EXP_SHIFTER + 127), one = v_set(1.0f); /* its low bits: the exponent of the scale */
    const vf y = v_clamp(x, -88.0f, 88.0f), k = v_fma(y, v_set(-0x1.715476p+0f), shifter), n = v_sub(k, shifter);
    const vf scale = v_from_bits(vi_shl(v_bits(k), 23));
    const vf r = v_fnma(n, v_set(V_LN2_LO), v_fnma(n, v_set(V_LN2_HI), v_neg(y)));
    vf p = v_fma(v_set(0x1.6cd790p-10f), r, v_set(0x1.122c52p-7f));
    p = v_fma(p, r, v_set(0x1.555538p-5f));
    p = v_fma(p, r, v_set(0x1.5554aap-3f));
    p = v_fma(v_fma(p, r, v_set(0.5f)), r, one);
    const vf denominator = v_fma(p, v_mul(r, scale), v_add(scale, one));
    return vm_andnot(v_lt(x, v_set(-88.0f)), v_div(numerator, denominator));
}

/* 1 / (1 + e^−x): 2.5 ULP down to −88, 0 below. */
V_INLINE vf v_sigmoid(vf x) { return v_logistic(v_set(1.0f), x); }

/* x·sigmoid(x): 3 ULP down to −88, 0 below. */
V_INLINE vf v_silu(vf x) { return v_logistic(x, x); }

/* tanh x = t / (t + 2), t = e^(2|x|) − 1, with the sign of x: 2.5 ULP. */
V_INLINE vf v_tanh(vf x) {
    const vf a = v_min(v_set(10.0f), v_abs(x));
    vf scale, r = v_exp_split(v_add(a, a), 0, &scale);
    const vf t = v_fma(v_expm1_rest(r), scale, v_sub(scale, v_set(1.0f)));
    return v_copysign(v_div(t, v_add(t, v_set(2.0f))), x);
}

/* The lower tail of the normal distribution, Φ(−a) for a ≥ 0, as density · ratio (Mills' ratio over √2π):
 * *density = e^(−a²/2), from a² in two parts; ratio = u·P(a·u), u = 1 / (1 + 3a/8). Only a ≤ 14.5 counts. */
V_INLINE vf v_normal_tail(vf a, vf *density) {
    a = v_min(v_set(14.5f), a);
    vf square = v_mul(a, a), rest = v_fma(a, a, v_neg(square));
    vf e = v_exp_below(v_mul(v_set(-0.5f), square));
    *density = v_fma(v_mul(e, v_set(-0.5f)), rest, e);
    vf u = v_div(v_set(1.0f), v_fma(v_set(0.375f), a, v_set(1.0f))), t = v_mul(a, u);
    vf p = v_fma(v_set(-0x1.9e80e6p-19f), t, v_set(0x1.675a2ep-16f));
    p = v_fma(p, t, v_set(-0x1.ce54aap-16f));
    p = v_fma(p, t, v_set(-0x1.faa1a2p-17f));
    p = v_fma(p, t, v_set(-0x1.4eb55ep-12f));
    p = v_fma(p, t, v_set(-0x1.45df5cp-12f));
    p = v_fma(p, t, v_set(0x1.9faa26p-8f));
    p = v_fma(p, t, v_set(0x1.59c0dcp-6f));
    p = v_fma(p, t, v_set(-0x1.b10888p-3f));
    p = v_fma(p, t, v_set(0.5f));
    return v_mul(u, p);
}
#endif
