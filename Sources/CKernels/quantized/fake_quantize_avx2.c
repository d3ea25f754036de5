#include "../vector/avx2.h"
#if defined(CK_HAVE_ISA)
#include "fake_quantize_tasks.h"

#include <math.h>

#define FAKE_T float
#define FAKE_ROUND 0x1.8p23f
#define FAKE_NAME(base) V_ISA_NAME(base)
#define FAKE_OBSERVES
#include "fake_quantize.inc"
#endif
#include "../vector/end.h"
