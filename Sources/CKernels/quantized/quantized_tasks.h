/* The variants the choosers pick from. */
#ifndef CK_QUANTIZED_TASKS_H
#define CK_QUANTIZED_TASKS_H

#include "ck_quantized.h"

/* Fours of lines, times columns, that the vector variants of a depthwise convolution hold. */
#define DEPTHWISE_FOURS 24

#define QUANTIZED_TASK(name) void name(const void *, void *const *, size_t, size_t, unsigned)

QUANTIZED_TASK(ck_product8_reference);
QUANTIZED_TASK(ck_depthwise8_reference);
#if defined(__x86_64__)
#define DOT_TASKS(isa) QUANTIZED_TASK(ck_product8_##isa); QUANTIZED_TASK(ck_depthwise8_##isa)
DOT_TASKS(avx2);
DOT_TASKS(avx_vnni);
DOT_TASKS(avx512_vnni);
QUANTIZED_TASK(ck_product8_avx512_amx);
#endif
#if defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
QUANTIZED_TASK(ck_product8_neon);
#endif
#endif
