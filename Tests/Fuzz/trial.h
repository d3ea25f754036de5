/* One trial: everything the C interface does with a model, on bytes that may be anything. */
#ifndef TRIAL_H
#define TRIAL_H

#include <apus.h>

#include "guarded.h"

enum {
    TRIAL_MEMORY = 64 << 20,     /* sessions that want more are not made */
    TRIAL_OPERATIONS = 1 << 27,  /* functions that want more are not run */
};

typedef struct trial {
    guarded file, session;
    uint32_t random;
    unsigned long opened, refused, ran, skipped;
    const char *complaint; /* what went wrong, or NULL */
    char detail[600];
} trial;

static inline uint32_t trial_random(trial *t) {
    t->random = t->random * 1664525u + 1013904223u;
    return t->random >> 8;
}

static inline int trial_fails(trial *t, const char *complaint, const char *detail) {
    if (t->complaint) return 0;
    t->complaint = complaint;
    snprintf(t->detail, sizeof t->detail, "%s", detail);
    return 0;
}

/* Whole characters of UTF-8 (without judging which), on one line. */
static inline int trial_is_line(const char *text, size_t limit) {
    size_t length = strnlen(text, limit);
    if (length == 0 || length == limit) return 0;
    for (size_t i = 0; i < length;) {
        unsigned char c = (unsigned char)text[i];
        size_t bytes = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
        if (bytes == 0 || c == '\n' || c == '\r' || bytes > length - i) return 0;
        for (size_t j = 1; j < bytes; j++)
            if (((unsigned char)text[i + j] & 0xC0) != 0x80) return 0;
        i += bytes;
    }
    return 1;
}

/* Whether the call succeeded; complains about a status or a message that is not as promised. */
static inline int trial_ok(trial *t, apus_status status, const apus_error *error) {
    if (status == APUS_OK) return 1;
    if (status < 0 || status > APUS_THREAD_ERROR || error->code != status) return trial_fails(t, "status", error->message);
    if (!trial_is_line(error->message, sizeof error->message)) return trial_fails(t, "message", error->message);
    return 0;
}

static inline int trial_info_is_sound(const apus_tensor_info *info) {
    if (!info->name || info->rank < 0 || info->rank > APUS_MAX_RANK) return 0;
    for (int32_t i = 0; i < info->rank; i++)
        if (info->shape[i] < 0) return 0;
    return 1;
}

/* Everything that can be asked of a model. */
static inline void trial_inspect(trial *t, const apus_model *model) {
    apus_error error;
    apus_tensor_info info;
    for (size_t f = 0; f < apus_model_function_count(model); f++) {
        if (!apus_model_function_name(model, f)) trial_fails(t, "function without a name", "");
        for (size_t i = 0; i <= apus_model_input_count(model, f); i++)
            if (trial_ok(t, apus_model_input_info(model, f, i, &info, &error), &error) && !trial_info_is_sound(&info))
                trial_fails(t, "input", "");
        for (size_t i = 0; i <= apus_model_output_count(model, f); i++)
            if (trial_ok(t, apus_model_output_info(model, f, i, &info, &error), &error) && !trial_info_is_sound(&info))
                trial_fails(t, "output", "");
    }
    for (size_t i = 0; i < apus_model_metadata_count(model); i++) {
        const char *key = apus_model_metadata_key(model, i);
        if (!key || !apus_model_metadata_value(model, i) || !apus_model_metadata(model, key))
            trial_fails(t, "metadata", "");
    }
}

/* Any bytes are tensors: random ones, all ones (NaN, −1), or zeros. */
static inline void trial_fill(trial *t, void *data, size_t size) {
    unsigned char *bytes = data;
    switch (trial_random(t) % 3) {
    case 0: memset(data, 0, size); break;
    case 1: memset(data, 0xFF, size); break;
    default:
        for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)trial_random(t);
    }
}

static inline void trial_run(trial *t, const apus_model *model, apus_session *session) {
    apus_error error;
    apus_tensor_info info;
    for (size_t f = 0; f < apus_model_function_count(model); f++) {
        uint64_t operations = 0;
        for (size_t i = 0; i < apus_session_profile_count(session, f); i++) {
            apus_profile_entry entry;
            if (!trial_ok(t, apus_session_profile(session, f, i, &entry, &error), &error)) continue;
            if (!entry.node || !entry.operator_name || !entry.isa) trial_fails(t, "profile", "");
            if (entry.operations + entry.bytes > TRIAL_OPERATIONS) operations = TRIAL_OPERATIONS;
            operations += entry.operations + entry.bytes;
        }
        if (operations > TRIAL_OPERATIONS) {
            t->skipped++;
            continue;
        }
        for (size_t i = 0; i < apus_model_input_count(model, f); i++) {
            if (!trial_ok(t, apus_session_input_info(session, f, i, &info, &error), &error)) continue;
            void *data = apus_session_input_data(session, f, i);
            if (!data) trial_fails(t, "input without memory", info.name);
            else trial_fill(t, data, info.byte_size);
        }
        if (!trial_ok(t, apus_session_run_function(session, f, &error), &error)) continue;
        t->ran++;
        volatile unsigned char seen = 0;
        for (size_t i = 0; i < apus_model_output_count(model, f); i++) {
            if (!trial_ok(t, apus_session_output_info(session, f, i, &info, &error), &error)) continue;
            const unsigned char *data = apus_session_output_data(session, f, i);
            if (!data) trial_fails(t, "output without memory", info.name);
            for (size_t j = 0; data && j < info.byte_size; j += 61) seen ^= data[j];
        }
    }
}

static inline void trial_session(trial *t, apus_model *model) {
    apus_error error;
    apus_session *session = NULL;
    apus_session_options options;
    size_t size = 0;
    apus_session_options_init(&options);
    options.profile = 1;
    if (!trial_ok(t, apus_session_memory_size(model, &options, &size, &error), &error)) return;
    if (size > TRIAL_MEMORY) {
        t->skipped++;
        return;
    }
    options.memory = guarded_end(&t->session, size, 64);
    options.memory_size = size;
    memset(options.memory, 0xA5, size < 1 << 16 ? size : 1 << 16);
    if (!trial_ok(t, apus_session_create(model, &options, &session, &error), &error)) return;
    trial_run(t, model, session);
    for (size_t d = 0; d < apus_model_dimension_count(model); d++) {
        apus_dimension_info dimension;
        if (!trial_ok(t, apus_model_dimension_info(model, d, &dimension, &error), &error)) continue;
        int64_t middle = dimension.minimum + (dimension.maximum - dimension.minimum) / 2;
        if (trial_ok(t, apus_session_set_dimension(session, dimension.name, middle, &error), &error))
            trial_run(t, model, session);
        if (trial_ok(t, apus_session_set_dimension(session, dimension.name, dimension.minimum, &error), &error))
            trial_run(t, model, session);
    }
    size_t states = apus_session_states_size(session);
    void *saved = states <= TRIAL_MEMORY ? malloc(states) : NULL;
    if (saved && trial_ok(t, apus_session_save_states(session, saved, states, &error), &error)) {
        if (!trial_ok(t, apus_session_reset_states(session, &error), &error)) trial_fails(t, "reset", error.message);
        if (!trial_ok(t, apus_session_load_states(session, saved, states, &error), &error))
            trial_fails(t, "states that were saved", error.message);
    }
    free(saved);
    apus_session_destroy(session);
}

/* Bytes that end where memory ends; `aligned`: they begin at a multiple of 64. Returns 0 and a complaint when a
 * promise is broken. */
static inline int trial_bytes(trial *t, const unsigned char *bytes, size_t size, int aligned, int run) {
    apus_error error;
    apus_model *model = NULL;
    if (size > t->file.capacity) return 1;
    unsigned char *file = guarded_end(&t->file, size, aligned ? 64 : 1);
    if (size > 0) memcpy(file, bytes, size);
    t->complaint = NULL;
    if (!trial_ok(t, apus_model_open_memory(file, size, &model, &error), &error)) {
        t->refused++;
        if (model) trial_fails(t, "a model beside a status", error.message);
        return !t->complaint;
    }
    t->opened++;
    trial_inspect(t, model);
    if (run) trial_session(t, model);
    apus_model_close(model);
    return !t->complaint;
}

static inline trial trial_make(size_t largest_file) {
    return (trial){.file = guarded_make(largest_file), .session = guarded_make(TRIAL_MEMORY + 64), .random = 1};
}

#endif
