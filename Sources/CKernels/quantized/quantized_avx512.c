#include "../vector/avx512.h"

#if defined(CK_HAVE_ISA)
#define WEIGHT_WIDE 4
#define WEIGHT_TALL 4
#define WEIGHT_TALL_PANELS 4
#include "../vector/math.h"
#include "codes_vector.inc"
#include "product_vector.inc"
#include "weight_only_vector.inc"
#include "weight_only_codes.inc"
#include "../vector/end.h"
#endif
