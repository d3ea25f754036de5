#include "../vector/avx2.h"

#if defined(CK_HAVE_ISA) && !defined(APUS_INFERENCE)
#define MIXED_NAME(base) V_ISA_NAME(base)
#include "mixed_loops.inc"
#endif
#include "../vector/end.h"
