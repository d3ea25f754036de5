#include "../vector/avx512.h"

#if defined(CK_HAVE_ISA)
#include "../vector/math.h"
#include "codes_vector.inc"
#include "product_vector.inc"
#include "weight_only_vector.inc"
#include "weight_only_codes.inc"
#include "../vector/end.h"
#endif
