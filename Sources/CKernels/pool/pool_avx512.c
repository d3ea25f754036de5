#include <stdint.h>

#include "../vector/avx512.h"

#if defined(CK_HAVE_ISA)
#include "pool_vector.inc"
#include "../vector/end.h"
#endif
