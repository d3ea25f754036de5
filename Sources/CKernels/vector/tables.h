/* Tables of exponential_avx512.h. An entry stands at its key modulo 32. */
#ifndef CK_VECTOR_TABLES_H
#define CK_VECTOR_TABLES_H

extern const float ck_power_table[32]; /* 2^(j/32), by j */

/* Polynomials by intervals of a function, a coefficient of all intervals after another. */
extern const float ck_tanh_table[7][32];  /* tanh a, by the upper bits of a: sign, exponent, two of the fraction; first their points of expansion */
extern const float ck_mills_table[5][32]; /* e^(a²/2)·Φ(−a), by those of 1 + a with three of the fraction, around their middles */
#endif
