/* What the fuzz targets share: a mutator that knows protobuf, and files sealed again so that changes reach the reader. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include "trial.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

enum { TARGET_FILE = 1 << 16 };

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

static uint32_t target_next(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 4;
}

static uint64_t target_number(uint64_t old, uint32_t *state) {
    static const uint64_t telling[] = {0, 1, 2, 3, 7, 8, 16, 64, 127, 128, 255, 1 << 16, INT32_MAX, 1u << 31, UINT32_MAX,
                                       1ull << 32, 1ull << 44, 1ull << 62, 1ull << 63, UINT64_MAX};
    switch (target_next(state) % 5) {
    case 0: return old + 1;
    case 1: return old - 1;
    case 2: return telling[target_next(state) % (sizeof telling / sizeof *telling)];
    case 3: return target_next(state) % 24;
    default: return old ^ 1ull << target_next(state) % 33;
    }
}

/* Half of the time the library's own mutations; else numbers changed and records removed, repeated or put elsewhere, with
 * lengths that fit. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    static wire numbers;
    static uint8_t work[TARGET_FILE * 2 + 4096], record[TARGET_FILE];
    uint32_t state = seed;
    size_t header, weights, at = size;
    if (target_next(&state) % 2 == 0 || size < ENVELOPE_PREFIX || size > TARGET_FILE)
        return LLVMFuzzerMutate(data, size, max_size);
    if (!envelope_find(data, size, &header, &weights)) header = size;
    memcpy(work, data, size);
    for (uint32_t rounds = 1 + target_next(&state) % 4; rounds > 0; rounds--) {
        numbers.count = 0;
        if (!wire_collect(&numbers, work, ENVELOPE_PREFIX, header, -1, 0) || numbers.count == 0) break;
        const wire_varint *n = &numbers.varints[target_next(&state) % (uint32_t)numbers.count];
        const wire_varint *other = &numbers.varints[target_next(&state) % (uint32_t)numbers.count];
        uint8_t digits[10];
        ptrdiff_t grown = 0;
        size_t before = at;
        uint32_t action = target_next(&state) % 8;
        if (action < 5 || !n->record_end) {
            size_t count = envelope_put_varint(digits, target_number(n->value, &state));
            grown = wire_splice(work, &at, n->at, n->size, digits, count);
        } else if (action == 5) {
            grown = wire_splice(work, &at, n->at, n->record_end - n->at, NULL, 0);
        } else if (other->record_end) {
            size_t length = other->record_end - other->at;
            if (before + length + 64 > TARGET_FILE) break;
            memcpy(record, work + other->at, length);
            grown = wire_splice(work, &at, n->at, action == 6 ? 0 : n->record_end - n->at, record, length);
        }
        header = (size_t)((ptrdiff_t)header + wire_fit(&numbers, work, &at, n->parent, grown));
        if (at > TARGET_FILE) break;
    }
    if (at > max_size || at > TARGET_FILE) return LLVMFuzzerMutate(data, size, max_size);
    memcpy(data, work, at);
    return at;
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
