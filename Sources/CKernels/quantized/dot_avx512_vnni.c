#define CK_VNNI 1
#include "../vector/avx512.h"

#if defined(CK_HAVE_ISA)
#include "quantized_tasks.h"

#define DOT_NAME(base) base##_avx512_vnni
#define PRODUCT_REGISTERS 24
#define PRODUCT_KERNELS(K)                                                                                            \
    K(1, 1) K(2, 1) K(3, 1) K(4, 1) K(5, 1) K(6, 1) K(7, 1) K(8, 1) K(12, 1)                                         \
    K(1, 2) K(2, 2) K(3, 2) K(4, 2) K(5, 2) K(6, 2) K(7, 2) K(8, 2) K(12, 2) K(1, 4) K(2, 4) K(3, 4) K(4, 4) K(1, 8) \
    K(2, 8)
#include "dot.h"
#include "product_micro.inc"
#include "depthwise_vector.inc"
#include "../vector/end.h"
#endif
