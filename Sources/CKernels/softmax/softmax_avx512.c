#include "../vector/avx512.h"
#if defined(CK_HAVE_ISA)
#include "softmax_vector.inc"
#include "cross_entropy_vector.inc"
#endif
#include "../vector/end.h"
