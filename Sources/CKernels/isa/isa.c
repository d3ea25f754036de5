#include "ck.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* The processor has the instructions and the system saves the registers they use: YMM for AVX2, ZMM and masks for AVX-512. */
static ck_isa native_x86(void) {
    enum { FMA = 1 << 12, OSXSAVE = 1 << 27, F16C = 1 << 29 };                   /* leaf 1, ecx */
    enum { AVX2 = 1 << 5, F = 1 << 16, DQ = 1 << 17, BW = 1 << 30 };             /* leaf 7, ebx */
    const unsigned vl = 1u << 31, basic = FMA | OSXSAVE | F16C, wide = F | DQ | BW | vl;
    const unsigned ymm_state = 0x6, zmm_state = 0xe6;                            /* XCR0 */
    unsigned a, b, c, d, state, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & basic) != basic) return CK_ISA_REFERENCE;
    __asm__("xgetbv" : "=a"(state), "=d"(high) : "c"(0));
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & AVX2)) return CK_ISA_REFERENCE;
    if ((state & ymm_state) != ymm_state) return CK_ISA_REFERENCE;
    return (b & wide) == wide && (state & zmm_state) == zmm_state ? CK_ISA_AVX512 : CK_ISA_AVX2;
}
#endif

ck_isa ck_isa_native(void) {
#if defined(__x86_64__)
    return native_x86();
#else
    return CK_ISA_REFERENCE;
#endif
}

const char *ck_isa_name(ck_isa isa) {
    switch (isa) {
    case CK_ISA_AVX2: return "avx2";
    case CK_ISA_AVX512: return "avx512";
    case CK_ISA_NEON: return "neon";
    default: return "reference";
    }
}
