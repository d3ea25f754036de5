/* Included last by FAMILY_avx2.c and FAMILY_avx512.c: ends what avx2.h or avx512.h began. */
#if defined(CK_HAVE_ISA)
#pragma clang attribute pop
#endif
