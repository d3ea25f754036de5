#include "../vector/avx2.h"

#if defined(CK_HAVE_ISA)
#include "quantized_tasks.h"

#define DOT_NAME(base) base##_avx2
#include "dot.h"
#include "product_tile.h"
#include "depthwise_pairs.inc"
#include "../vector/end.h"
#endif
