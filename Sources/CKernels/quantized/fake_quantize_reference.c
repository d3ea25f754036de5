/* Fake quantization: the definition. */
#include "fake_quantize_tasks.h"

#include <math.h>

#define FAKE_T float
#define FAKE_ROUND 0x1.8p23f
#define FAKE_NAME(base) base##_f32
#define FAKE_OBSERVES
#include "fake_quantize.inc"
#undef FAKE_T
#undef FAKE_ROUND
#undef FAKE_NAME
#undef FAKE_OBSERVES

#define FAKE_T double
#define FAKE_ROUND 0x1.8p52
#define FAKE_NAME(base) base##_f64
#include "fake_quantize.inc"
