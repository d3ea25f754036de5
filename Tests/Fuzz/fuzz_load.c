/* Opens and inspects. */
#include "fuzz_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return target_try(data, size, 0); }
