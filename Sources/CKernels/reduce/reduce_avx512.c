#include "../vector/avx512.h"
#if defined(CK_HAVE_ISA)
#include "reduce_variants.h"
#include "reduce_vector.inc"
#endif
#include "../vector/end.h"
