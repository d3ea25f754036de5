/* The frame of an .apus file: fields 1 … 13 are the header, 14 padding, 15 weights. */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { ENVELOPE_PREFIX = 11 /* the signature's and the checksum's records */ };

/* Reads a varint at *at; 0 where there is none. */
static inline int envelope_varint(const uint8_t *bytes, size_t size, size_t *at, uint64_t *value) {
    *value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (*at >= size) return 0;
        uint8_t byte = bytes[(*at)++];
        *value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return 1;
    }
    return 0;
}

static inline size_t envelope_put_varint(uint8_t *to, uint64_t value) {
    size_t n = 0;
    for (; value >= 0x80; value >>= 7) to[n++] = (uint8_t)(value | 0x80);
    to[n++] = (uint8_t)value;
    return n;
}

static inline uint32_t envelope_crc32(const uint8_t *bytes, size_t size) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

/* Passes over a field's value; 0 where the bytes end or the wire type is unknown. */
static inline int envelope_skip(const uint8_t *bytes, size_t size, size_t *at, uint64_t key) {
    uint64_t value;
    switch (key & 7) {
    case 0: return envelope_varint(bytes, size, at, &value);
    case 1: return (*at += 8) <= size;
    case 5: return (*at += 4) <= size;
    case 2:
        if (!envelope_varint(bytes, size, at, &value) || value > size - *at) return 0;
        *at += (size_t)value;
        return 1;
    default: return 0;
    }
}

/* Where the header ends and the weights begin; 0 when the bytes have no such frame. */
static inline int envelope_find(const uint8_t *bytes, size_t size, size_t *header_end, size_t *weights) {
    size_t at = ENVELOPE_PREFIX;
    *header_end = 0;
    while (at < size) {
        size_t start = at;
        uint64_t key, length;
        if (!envelope_varint(bytes, size, &at, &key)) return 0;
        if (*header_end == 0 && (key == (14 << 3 | 2) || key == (15 << 3 | 2))) *header_end = start;
        if (key == (15 << 3 | 2)) {
            if (!envelope_varint(bytes, size, &at, &length) || length != size - at) return 0;
            *weights = at;
            return 1;
        }
        if (!envelope_skip(bytes, size, &at, key)) return 0;
    }
    return 0;
}

/* A file of this header and these weights that readers take for intact: the checksum is right and the weights are
 * aligned. `to` has room for header + weights + 100 bytes. Returns the file's size. */
static inline size_t envelope_seal(uint8_t *to, const uint8_t *header, size_t header_size, const uint8_t *weights,
                                   size_t weights_size) {
    static const uint8_t prefix[7] = {0x0A, 4, 'A', 'P', 'U', 'S', 0x15};
    uint8_t length[10];
    size_t digits = envelope_put_varint(length, weights_size);
    memmove(to, header, header_size);
    if (header_size >= ENVELOPE_PREFIX) {
        uint32_t crc = envelope_crc32(to + ENVELOPE_PREFIX, header_size - ENVELOPE_PREFIX);
        memcpy(to, prefix, sizeof prefix);
        for (int i = 0; i < 4; i++) to[7 + i] = (uint8_t)(crc >> (8 * i));
    }
    size_t at = header_size, padding = (64 - (at + 2 + 1 + digits) % 64) % 64;
    to[at++] = 14 << 3 | 2;
    to[at++] = (uint8_t)padding;
    memset(to + at, 0, padding);
    at += padding;
    to[at++] = 15 << 3 | 2;
    memcpy(to + at, length, digits);
    at += digits;
    if (weights_size > 0) memcpy(to + at, weights, weights_size);
    return at + weights_size;
}

#endif
