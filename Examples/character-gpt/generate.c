/* generate MODEL PROMPT [COUNT [TEMPERATURE [SEED]]]: continues a text, character by character, from one file. */
#include <apus.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static apus_error error;

static void check(apus_status status) {
    if (status != APUS_OK) fprintf(stderr, "generate: %s\n", error.message), exit(1);
}

/* Bytes of the UTF-8 character at `text`, which ends before the text does. */
static size_t length(const char *text) {
    size_t bytes = 1;
    while (((unsigned char)text[bytes] & 0xC0) == 0x80) ++bytes;
    return bytes;
}

/* The token that a character is, its place in the vocabulary; -1: none. */
static int token_of(const char *vocabulary, const char *character) {
    for (int token = 0; *vocabulary; ++token, vocabulary += length(vocabulary))
        if (strncmp(vocabulary, character, length(character)) == 0) return token;
    return -1;
}

static const char *character_of(const char *vocabulary, int token) {
    while (token-- > 0 && *vocabulary) vocabulary += length(vocabulary);
    return vocabulary;
}

/* The number that an argument is, all of it; `otherwise` where it is not given. */
static double number(int count, char **arguments, int place, double otherwise, const char *name) {
    if (place >= count) return otherwise;
    char *end;
    const double value = strtod(arguments[place], &end);
    if (end == arguments[place] || *end || !(value >= 0 && value <= 1e15))
        fprintf(stderr, "generate: %s '%s', wanted a number from 0 to 1e15\n", name, arguments[place]), exit(2);
    return value;
}

/* Uniform in 0 ..< 1 (xorshift, Marsaglia 2003). */
static double uniform(unsigned long long *state) {
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return (double)(*state >> 11) * 0x1p-53;
}

/* A token by the probabilities softmax(logits / temperature); the likeliest at temperature 0. */
static int drawn(const float *logits, size_t count, double temperature, unsigned long long *state) {
    size_t best = 0;
    double sum = 0;
    for (size_t i = 1; i < count; ++i) best = logits[i] > logits[best] ? i : best;
    if (temperature <= 0) return (int)best;
    for (size_t i = 0; i < count; ++i) sum += exp((logits[i] - logits[best]) / temperature);
    double rest = sum * uniform(state);
    for (size_t i = 0; i < count; ++i)
        if ((rest -= exp((logits[i] - logits[best]) / temperature)) < 0) return (int)i;
    return (int)best;
}

int main(int count, char **arguments) {
    apus_model *model;
    apus_session *session;
    apus_tensor_info logits;
    size_t step;
    if (count < 3 || count > 6) return fputs("usage: generate MODEL PROMPT [COUNT [TEMPERATURE [SEED]]]\n", stderr), 2;
    const long long wanted = (long long)number(count, arguments, 3, 200, "COUNT");
    const double temperature = number(count, arguments, 4, 0.8, "TEMPERATURE");
    unsigned long long state = 0x9E3779B97F4A7C15ull ^ (unsigned long long)number(count, arguments, 5, 0, "SEED");
    if (state == 0) state = 1;
    check(apus_model_open(arguments[1], &model, &error));
    check(apus_model_find_function(model, "step", &step, &error));
    check(apus_session_create(model, NULL, &session, &error));
    check(apus_session_output_info(session, step, 0, &logits, &error));
    const char *vocabulary = apus_model_metadata(model, "tokenizer.characters");
    int32_t *input = apus_session_input_data(session, step, 0);
    const float *output = apus_session_output_data(session, step, 0);
    if (!vocabulary || !input || logits.rank != 3) return fputs("generate: not a model of characters\n", stderr), 1;
    const size_t classes = (size_t)logits.shape[2];

    long read = 0;
    for (const char *character = arguments[2]; *character; character += length(character)) {
        const int token = token_of(vocabulary, character);
        if (token < 0) continue;
        *input = token;
        check(apus_session_run_function(session, step, &error));
        ++read;
    }
    const char *positions = apus_model_metadata(model, "stream.positions");
    long long left = positions ? strtoll(positions, NULL, 10) - read : wanted;
    if (left < 0) return fprintf(stderr, "generate: a prompt of %ld characters, wanted at most %s\n", read, positions), 1;
    if (read == 0) return fputs("generate: a prompt without a character of the vocabulary\n", stderr), 1;
    fputs(arguments[2], stdout);
    for (long long i = 0; i < wanted; ++i) {
        const int token = drawn(output, classes, temperature, &state);
        const char *character = character_of(vocabulary, token);
        fwrite(character, 1, *character ? length(character) : 0, stdout), fflush(stdout);
        if (left-- == 0) break;
        *input = token;
        check(apus_session_run_function(session, step, &error));
    }
    putchar('\n');
    apus_session_destroy(session);
    apus_model_close(model);
}
