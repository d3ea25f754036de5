#include "../vector/avx512.h"
#if defined(CK_HAVE_ISA)
#include "attention_gradient_vector.inc"
#endif
#include "../vector/end.h"
