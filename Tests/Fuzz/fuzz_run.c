/* Opens, plans and runs every function on arbitrary tensors, at several sizes. */
#include "fuzz_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return target_try(data, size, 1); }
