#include "../vector/avx512.h"
#if defined(CK_HAVE_ISA)
#include "../vector/math.h"
#include "normalize_variants.h"
#include "normalize_vector.inc"
#endif
#include "../vector/end.h"
