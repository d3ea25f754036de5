#include "../vector/avx512.h"
#if defined(CK_HAVE_ISA)
#include "recurrent_vector.inc"
#endif
#include "../vector/end.h"
