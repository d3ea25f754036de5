#include "../vector/avx2.h"

#if defined(CK_HAVE_ISA)
#include "quantized_tasks.h"

#define DOT_NAME(base) base##_avx2
#define PRODUCT_REGISTERS 8
#define PRODUCT_KERNELS(K) K(1, 1) K(2, 1) K(3, 1) K(4, 1) K(1, 2) K(2, 2)
#include "dot.h"
#include "product_micro.inc"
#include "depthwise_pairs.inc"
#include "../vector/end.h"
#endif
