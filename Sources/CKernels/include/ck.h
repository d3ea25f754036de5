/* Apus kernels: the one calling convention all loops share.
 *
 * A kernel is a ck_task. It computes the units [begin, end) of one step; what a unit is (a row, an
 * output tile, a block of elements) is stated beside each family's chooser. Units are independent:
 * any split over any number of threads gives the same bits. A sum is never split.
 *
 *   params    a plain struct of the family (at most CK_PARAMS_MAX bytes), read-only
 *   operands  addresses: inputs in the operator's order, then outputs, then workspace
 *   lane      index of the calling thread, 0 ..< lanes, for per-thread workspace
 *
 * Kernels never allocate, never fail and keep at most 16 KiB on the stack. Every check has been made
 * before a kernel is chosen. An operand has at least the alignment of its element type.
 *
 * A chooser, ck_FAMILY(…, dtype, isa), returns the fastest variant no higher than `isa`, or NULL when
 * the family has none for that dtype. Compiled with APUS_INFERENCE, tables lack the entries that only
 * operators of training ask for, which CK_TRAINING(…) marks.
 */
#ifndef CK_H
#define CK_H

#include <stddef.h>
#include <stdint.h>

/* A product and a sum are fused only where a kernel says so. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(APUS_INFERENCE)
#define CK_TRAINING(...)
#define CK_IS_TRAINING 0
#else
#define CK_TRAINING(...) __VA_ARGS__
#define CK_IS_TRAINING 1
#endif

#define CK_PARAMS_MAX 320
#define CK_MAX_RANK 8
#define CK_PANEL 16 /* output columns in a packed weight panel */

typedef void (*ck_task)(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane);

/* Arithmetic on f64, in which gradients are checked and no model is exported: inference leaves it out. */
#if defined(APUS_INFERENCE)
#define CK_F64_TASK(task) ((ck_task)NULL)
#else
#define CK_F64_TASK(task) (task)
#endif

/* Element types; the numbers are those of apus.h and apus.proto. */
typedef enum {
    CK_F32 = 1, CK_F64 = 2, CK_F16 = 3, CK_BF16 = 4,
    CK_I8 = 5, CK_U8 = 6, CK_I16 = 7, CK_U16 = 8, CK_I32 = 9, CK_I64 = 10,
    CK_BOOL = 11, /* one byte, 0 or 1 */
    CK_I4 = 12, CK_U4 = 13
} ck_dtype;

typedef enum {
    CK_ISA_REFERENCE = 0, /* plain C, the definition of every kernel */
    CK_ISA_AVX2 = 1,      /* AVX2 + FMA + F16C */
    CK_ISA_AVX512 = 2,    /* AVX-512 F, BW, DQ, VL */
    CK_ISA_NEON = 3,      /* with dot products of bytes, for which alone there are kernels */
    CK_ISA_VNNI = 8,      /* a bit: sums of products of bytes in one instruction */
    CK_ISA_AVX_VNNI = CK_ISA_AVX2 | CK_ISA_VNNI,
    CK_ISA_AVX512_VNNI = CK_ISA_AVX512 | CK_ISA_VNNI,
    CK_ISA_AMX = 16,      /* a bit: products of tiles of bytes and of bf16 */
    CK_ISA_AVX512_AMX = CK_ISA_AVX512_VNNI | CK_ISA_AMX
} ck_isa;

/* Activations that products and convolutions apply to their result in registers. */
typedef enum {
    CK_ACT_NONE = 0, CK_ACT_RELU = 1, CK_ACT_RELU6 = 2, CK_ACT_LEAKY_RELU = 3 /* alpha */,
    CK_ACT_ELU = 4 /* alpha */, CK_ACT_SIGMOID = 5, CK_ACT_TANH = 6, CK_ACT_GELU = 7 /* erf */,
    CK_ACT_GELU_TANH = 8, CK_ACT_SILU = 9, CK_ACT_HARD_SWISH = 10, CK_ACT_SOFTPLUS = 11,
    CK_ACT_CLIP = 12 /* alpha ..= beta */
} ck_activation;

typedef struct {
    int32_t kind; /* ck_activation */
    float alpha, beta;
} ck_activation_params;

/* The best instruction set of this processor that Apus has kernels for. */
ck_isa ck_isa_native(void);
/* Whether this processor can run the kernels of an instruction set. Linux lets a process use AMX that has asked; where the
 * processor has it, this and ck_isa_native ask. What is refused is not supported. */
int ck_isa_is_supported(ck_isa isa);
/* What families that sum no bytes choose from: without VNNI and AMX, the reference for NEON. */
ck_isa ck_isa_base(ck_isa isa);
/* AVX-512 VBMI, which some variants use where there is CK_ISA_AVX512_VNNI. */
int ck_isa_has_vbmi(void);
int ck_isa_has_bf16(void); /* AVX512_BF16, likewise */
const char *ck_isa_name(ck_isa isa); /* "reference", "avx2", … */

#ifdef __cplusplus
}
#endif
#endif
