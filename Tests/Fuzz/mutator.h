/* A mutator for libFuzzer that knows protobuf's wire format. */
#ifndef MUTATOR_H
#define MUTATOR_H

#include "wire.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

enum { MUTATOR_MAX = 1 << 16 };

static uint32_t mutator_next(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 4;
}

static uint64_t mutator_number(uint64_t old, uint32_t *state) {
    static const uint64_t telling[] = {0, 1, 2, 3, 7, 8, 16, 64, 127, 128, 255, 1 << 16, INT32_MAX, 1u << 31, UINT32_MAX,
                                       1ull << 32, 1ull << 44, 1ull << 62, 1ull << 63, UINT64_MAX};
    switch (mutator_next(state) % 5) {
    case 0: return old + 1;
    case 1: return old - 1;
    case 2: return telling[mutator_next(state) % (sizeof telling / sizeof *telling)];
    case 3: return mutator_next(state) % 24;
    default: return old ^ 1ull << mutator_next(state) % 33;
    }
}

/* Changes the message in data[start ..< header] of a file. Half of the time it is the library's own mutations; else numbers
 * changed and records removed, repeated or put elsewhere, with lengths that fit. */
static size_t mutate_message(uint8_t *data, size_t size, size_t start, size_t header, size_t max_size, unsigned seed) {
    static wire numbers;
    static uint8_t work[MUTATOR_MAX * 2 + 4096], record[MUTATOR_MAX];
    uint32_t state = seed;
    size_t at = size;
    if (mutator_next(&state) % 2 == 0 || size < start || size > MUTATOR_MAX)
        return LLVMFuzzerMutate(data, size, max_size);
    memcpy(work, data, size);
    for (uint32_t rounds = 1 + mutator_next(&state) % 4; rounds > 0; rounds--) {
        numbers.count = 0;
        if (!wire_collect(&numbers, work, start, header, -1, 0) || numbers.count == 0) break;
        const wire_varint *n = &numbers.varints[mutator_next(&state) % (uint32_t)numbers.count];
        const wire_varint *other = &numbers.varints[mutator_next(&state) % (uint32_t)numbers.count];
        uint8_t digits[10];
        ptrdiff_t grown = 0;
        size_t before = at;
        uint32_t action = mutator_next(&state) % 8;
        if (action < 5 || !n->record_end) {
            size_t count = envelope_put_varint(digits, mutator_number(n->value, &state));
            grown = wire_splice(work, &at, n->at, n->size, digits, count);
        } else if (action == 5) {
            grown = wire_splice(work, &at, n->at, n->record_end - n->at, NULL, 0);
        } else if (other->record_end) {
            size_t length = other->record_end - other->at;
            if (before + length + 64 > MUTATOR_MAX) break;
            memcpy(record, work + other->at, length);
            grown = wire_splice(work, &at, n->at, action == 6 ? 0 : n->record_end - n->at, record, length);
        }
        header = (size_t)((ptrdiff_t)header + wire_fit(&numbers, work, &at, n->parent, grown));
        if (at > MUTATOR_MAX) break;
    }
    if (at > max_size || at > MUTATOR_MAX) return LLVMFuzzerMutate(data, size, max_size);
    memcpy(data, work, at);
    return at;
}

#endif
