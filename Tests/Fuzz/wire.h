/* The numbers and records of a protobuf message, found without its schema, and how to change one of them so that the
 * lengths around it still fit. */
#ifndef WIRE_H
#define WIRE_H

#include "envelope.h"

enum { WIRE_MAX = 1 << 15, WIRE_DEPTH = 8 };

typedef struct wire_varint {
    size_t at, size;
    size_t record_end; /* of a key: where its record ends; else 0 */
    uint64_t value;
    int parent;        /* the length it lies under, an index; −1: none */
} wire_varint;

typedef struct wire {
    wire_varint varints[WIRE_MAX];
    int count;
} wire;

/* Collects the varints in at ..< end, and those of payloads that could be messages or packed numbers. Returns 0, and
 * collects nothing, when the bytes are no message. */
static inline int wire_collect(wire *w, const uint8_t *bytes, size_t at, size_t end, int parent, int depth) {
    int first = w->count;
    while (at < end) {
        uint64_t key, value;
        size_t start = at;
        if (!envelope_varint(bytes, end, &at, &key) || key >> 3 == 0 || w->count + 2 > WIRE_MAX) break;
        int record = w->count++;
        w->varints[record] = (wire_varint){start, at - start, 0, key, parent};
        if ((key & 7) == 0 || (key & 7) == 2) {
            start = at;
            if (!envelope_varint(bytes, end, &at, &value)) break;
            int length = w->count++;
            w->varints[length] = (wire_varint){start, at - start, 0, value, parent};
            if ((key & 7) == 2) {
                if (value > end - at) break;
                size_t stop = at + (size_t)value;
                if (depth >= WIRE_DEPTH || !wire_collect(w, bytes, at, stop, length, depth + 1))
                    for (size_t p = at; p < stop && w->count < WIRE_MAX;) {
                        start = p;
                        if (!envelope_varint(bytes, stop, &p, &key)) break;
                        w->varints[w->count++] = (wire_varint){start, p - start, 0, key, length};
                    }
                at = stop;
            }
        } else if (!envelope_skip(bytes, end, &at, key)) {
            break;
        }
        w->varints[record].record_end = at;
    }
    if (at == end) return 1;
    w->count = first;
    return 0;
}

/* Replaces `old` bytes at `at` by `count` others; returns by how much the bytes grew. They have room for it. */
static inline ptrdiff_t wire_splice(uint8_t *bytes, size_t *size, size_t at, size_t old, const uint8_t *with, size_t count) {
    memmove(bytes + at + count, bytes + at + old, *size - at - old);
    if (count > 0) memcpy(bytes + at, with, count);
    *size = *size + count - old;
    return (ptrdiff_t)count - (ptrdiff_t)old;
}

/* Makes the lengths from `parent` outward fit bytes under them that grew by `grown`; returns the growth altogether. */
static inline ptrdiff_t wire_fit(const wire *w, uint8_t *bytes, size_t *size, int parent, ptrdiff_t grown) {
    for (int p = parent; p >= 0; p = w->varints[p].parent) {
        uint8_t digits[10];
        size_t n = envelope_put_varint(digits, w->varints[p].value + (uint64_t)grown);
        grown += wire_splice(bytes, size, w->varints[p].at, w->varints[p].size, digits, n);
    }
    return grown;
}

#endif
