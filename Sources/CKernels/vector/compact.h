/* Included before the code of a file whose loops are the definition, or are not worth more space: it is compiled to be
 * small. end.h ends it. */
#ifndef CK_VECTOR_COMPACT_H
#define CK_VECTOR_COMPACT_H
#if defined(__clang__)
#pragma clang attribute push(__attribute__((minsize)), apply_to = function)
#define CK_HAVE_ISA 1
#endif
#endif
