#include "ck.h"

#if defined(__x86_64__)
#include <cpuid.h>

typedef struct {
    unsigned basic, features, more, tiles, other, state; /* leaf 1 ecx; leaf 7.0 ebx, ecx, edx; leaf 7.1 eax; XCR0 */
} processor;

static processor processor_of(void) {
    const unsigned osxsave = 1 << 27;
    processor p = {0};
    unsigned a, b, c, d, leaves;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & osxsave)) return p;
    p.basic = c;
    __asm__("xgetbv" : "=a"(p.state), "=d"(d) : "c"(0));
    if (!__get_cpuid_count(7, 0, &leaves, &p.features, &p.more, &p.tiles)) return p;
    if (leaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) p.other = a;
    return p;
}

/* Whether the system lets this process use tiles. It refuses, for one, where a thread's alternate signal stack is too small
 * for them. */
static int may_use_tiles(void) {
#if defined(__linux__)
    enum { ARCH_PRCTL = 158, REQUEST = 0x1023, TILES = 18 };
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"((long)ARCH_PRCTL), "D"((long)REQUEST), "S"((long)TILES)
                     : "rcx", "r11", "memory");
    return result == 0;
#else
    return 0;
#endif
}

/* The processor has the instructions and the system saves the registers they use: YMM for AVX2, ZMM and masks for AVX-512,
 * the tiles and their shapes for AMX. */
static int has(const processor *p, unsigned isa) {
    enum { FMA = 1 << 12, F16C = 1 << 29, AVX2 = 1 << 5, F = 1 << 16, DQ = 1 << 17, BW = 1 << 30 };
    enum { AVX512_VNNI = 1 << 11, AVX_VNNI = 1 << 4, AMX = 3 << 24 | 1 << 22 /* tiles, their products of bytes and bf16 */ };
    const unsigned basic = FMA | F16C, wide = F | DQ | BW | 1u << 31 /* VL */, ymm = 0x6, zmm = 0xe6, tmm = 3u << 17;
    const unsigned base = ck_isa_base((ck_isa)isa);
    const int avx2 = (p->basic & basic) == basic && p->features & AVX2 && (p->state & ymm) == ymm;
    const int avx512 = avx2 && (p->features & wide) == wide && (p->state & zmm) == zmm;
    if (base == CK_ISA_AVX2) return avx2 && (base == isa || p->other & AVX_VNNI);
    if (isa == CK_ISA_AVX512_AMX)
        return has(p, CK_ISA_AVX512_VNNI) && (p->tiles & AMX) == AMX && (p->state & tmm) == tmm && may_use_tiles();
    if (base == CK_ISA_AVX512) return avx512 && (base == isa || p->more & AVX512_VNNI);
    return isa == CK_ISA_REFERENCE;
}

int ck_isa_is_supported(ck_isa isa) {
    const processor p = processor_of();
    return has(&p, isa);
}

ck_isa ck_isa_native(void) {
    static const ck_isa best_first[] = {CK_ISA_AVX512_AMX, CK_ISA_AVX512_VNNI, CK_ISA_AVX512, CK_ISA_AVX_VNNI,
                                         CK_ISA_AVX2};
    const processor p = processor_of();
    for (unsigned i = 0; i < sizeof best_first / sizeof *best_first; i++)
        if (has(&p, best_first[i])) return best_first[i];
    return CK_ISA_REFERENCE;
}

int ck_isa_has_vbmi(void) {
    const processor p = processor_of();
    return has(&p, CK_ISA_AVX512_VNNI) && p.more & 1 << 1;
}

int ck_isa_has_bf16(void) {
    const processor p = processor_of();
    return has(&p, CK_ISA_AVX512_VNNI) && p.other & 1 << 5;
}
#else
#if defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
ck_isa ck_isa_native(void) { return CK_ISA_NEON; }
#else
ck_isa ck_isa_native(void) { return CK_ISA_REFERENCE; }
#endif
int ck_isa_is_supported(ck_isa isa) { return isa == CK_ISA_REFERENCE || isa == ck_isa_native(); }
int ck_isa_has_vbmi(void) { return 0; }
int ck_isa_has_bf16(void) { return 0; }
#endif

ck_isa ck_isa_base(ck_isa isa) {
    return isa == CK_ISA_NEON ? CK_ISA_REFERENCE : (ck_isa)(isa & ~(unsigned)(CK_ISA_VNNI | CK_ISA_AMX));
}

const char *ck_isa_name(ck_isa isa) {
    switch ((int)isa) {
    case CK_ISA_AVX2: return "avx2";
    case CK_ISA_AVX_VNNI: return "avx_vnni";
    case CK_ISA_AVX512: return "avx512";
    case CK_ISA_AVX512_VNNI: return "avx512_vnni";
    case CK_ISA_AVX512_AMX: return "avx512_amx";
    case CK_ISA_NEON: return "neon";
    default: return "reference";
    }
}
