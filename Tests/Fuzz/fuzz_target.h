/* What the fuzz targets share: a mutator that knows protobuf, and files sealed again so that changes reach the reader. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include "mutator.h"
#include "trial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum { TARGET_FILE = MUTATOR_MAX };

/* The file's own weights and header, sealed, the size of the weights in the header put right. Bytes without a frame are
 * a header, over 1 KiB of weights. */
static size_t target_seal(uint8_t *to, const uint8_t *data, size_t size) {
    static const uint8_t no_weights[1024];
    size_t header = size, weights = 0, at = ENVELOPE_PREFIX;
    const uint8_t *payload = no_weights;
    size_t payload_size = sizeof no_weights;
    if (size < ENVELOPE_PREFIX) return 0;
    if (envelope_find(data, size, &header, &weights)) payload = data + weights, payload_size = size - weights;
    else header = size;
    static uint8_t copy[TARGET_FILE * 2];
    memcpy(copy, data, header);
    while (at < header) {
        uint64_t key;
        if (!envelope_varint(copy, header, &at, &key)) break;
        if (key == (11 << 3 | 1) && at + 8 <= header)
            for (int i = 0; i < 8; i++) copy[at + (size_t)i] = (uint8_t)(payload_size >> (8 * i));
        if (!envelope_skip(copy, header, &at, key)) break;
    }
    return envelope_seal(to, copy, header, payload, payload_size);
}

/* Half of the time the library's own mutations; else those of mutator.h. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    size_t header, weights;
    if (size < ENVELOPE_PREFIX) return LLVMFuzzerMutate(data, size, max_size);
    if (!envelope_find(data, size, &header, &weights)) header = size;
    return mutate_message(data, size, ENVELOPE_PREFIX, header, max_size, seed);
}

/* One input: what the target does with its file. A broken promise ends the process. */
static int target_try(const uint8_t *data, size_t size, int run) {
    static trial t;
    static uint8_t sealed[TARGET_FILE * 2 + 4096];
    if (!t.file.pages) t = trial_make(sizeof sealed);
    if (size > TARGET_FILE) return -1;
    t.random = 1;
    size_t length = target_seal(sealed, data, size);
    int sound = length == 0 ? trial_bytes(&t, data, size, 1, 0) : trial_bytes(&t, sealed, length, (int)size % 2, run);
    if (!sound) {
        fprintf(stderr, "%s: %s\n", t.complaint, t.detail);
        abort();
    }
    return 0;
}

#endif
