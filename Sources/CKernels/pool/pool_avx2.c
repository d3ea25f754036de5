#include <stdint.h>

#include "../vector/avx2.h"

#if defined(CK_HAVE_ISA)
#include "pool_vector.inc"
#include "../vector/end.h"
#endif
