/* What the tests share: checks that go on after a failure, and inputs for any model. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <apus.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

/* Lines appear at once, so that a crash leaves them behind, and stdio never allocates. */
static inline void print_lines(void) {
    static char buffer[1 << 14];
    setvbuf(stdout, buffer, _IOLBF, sizeof buffer);
}

#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition)) {                                                   \
            ++failures;                                                       \
            printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);    \
        }                                                                     \
    } while (0)

/* For what later lines cannot do without. */
#define REQUIRE(call)                                                                          \
    do {                                                                                       \
        apus_error required_ = {APUS_OK, ""}, *error = &required_;                             \
        apus_status status_ = (call);                                                          \
        if (status_ != APUS_OK) {                                                              \
            printf("%s:%d: %s: %d %s\n", __FILE__, __LINE__, #call, status_, required_.message); \
            exit(1);                                                                           \
        }                                                                                      \
    } while (0)

static inline bool one_line(const char *text) {
    size_t length = strnlen(text, sizeof((apus_error *)0)->message);
    return length > 0 && length < sizeof((apus_error *)0)->message && !memchr(text, '\n', length);
}

/* `call` fails with `wanted` and says why in one line through the apus_error called `error`, and fails alike without one. */
#define REFUSES(wanted, call)                                                                       \
    do {                                                                                            \
        apus_error given_, *error = &given_;                                                        \
        memset(&given_, 'x', sizeof given_);                                                        \
        apus_status status_ = (call);                                                               \
        bool clear_ = given_.code == (wanted) && one_line(given_.message);                          \
        error = NULL;                                                                               \
        apus_status again_ = (call);                                                                \
        if (status_ != (wanted) || again_ != (wanted) || !clear_) {                                 \
            ++failures;                                                                             \
            printf("%s:%d: %s: wanted %s, got %d, then %d without an error; message \"%.*s\"\n",    \
                   __FILE__, __LINE__, #call, #wanted, status_, again_,                             \
                   clear_ || status_ ? 507 : 0, given_.message);                                    \
        }                                                                                           \
    } while (0)

typedef struct bytes {
    unsigned char *data;
    size_t size;
} bytes;

/* A whole file, aligned to 64. */
static inline bytes read_file(const char *path) {
    bytes file = {NULL, 0};
    FILE *stream = fopen(path, "rb");
    if (!stream || fseek(stream, 0, SEEK_END)) {
        printf("%s: cannot be read\n", path);
        exit(1);
    }
    file.size = (size_t)ftell(stream);
    rewind(stream);
    if (posix_memalign((void **)&file.data, 64, file.size + 64) || fread(file.data, 1, file.size, stream) != file.size)
        exit(1);
    fclose(stream);
    return file;
}

/* Numbers in [-1, 1) for f32 tensors, zeros for every other type: zeros are valid indices. */
static inline void fill(void *data, const apus_tensor_info *info, uint32_t seed) {
    memset(data, 0, info->byte_size);
    if (info->dtype != APUS_F32) return;
    for (size_t i = 0; i < info->byte_size / sizeof(float); ++i) {
        seed = seed * 1664525u + 1013904223u;
        ((float *)data)[i] = (float)(seed >> 8) / (float)(1 << 23) - 1;
    }
}

/* Sets the inputs of a function in place; allocates nothing. */
static inline apus_status set_inputs(const apus_model *model, apus_session *session, size_t function, uint32_t seed,
                                     apus_error *error) {
    for (size_t i = 0; i < apus_model_input_count(model, function); ++i) {
        apus_tensor_info info;
        apus_status status = apus_session_input_info(session, function, i, &info, error);
        if (status) return status;
        fill(apus_session_input_data(session, function, i), &info, seed + (uint32_t)i);
    }
    return APUS_OK;
}

/* FNV-1a over the outputs of a function; allocates nothing. */
static inline uint64_t hash_outputs(const apus_session *session, size_t function, size_t count) {
    uint64_t hash = 14695981039346656037u;
    for (size_t o = 0; o < count; ++o) {
        apus_tensor_info info;
        const unsigned char *data = (const unsigned char *)apus_session_output_data(session, function, o);
        if (!data || apus_session_output_info(session, function, o, &info, NULL)) return 0;
        for (size_t i = 0; i < info.byte_size; ++i) hash = (hash ^ data[i]) * 1099511628211u;
    }
    return hash;
}

#endif
