/* hello MODEL IMAGE: prints the label and the logits of one image (raw little-endian f32). */
#include <apus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static apus_error error;

static void check(apus_status status) {
    if (status != APUS_OK) fprintf(stderr, "hello: %s\n", error.message), exit(1);
}

int main(int count, char **arguments) {
    apus_model *model;
    apus_session *session;
    apus_session_options options;
    apus_tensor_info image, logits;
    if (count != 3) return fputs("usage: hello MODEL IMAGE\n", stderr), 2;
    check(apus_model_open(arguments[1], &model, &error));
    apus_session_options_init(&options);
    options.dimensions = &(apus_dimension_limit){"batch", 1};
    options.dimension_count = 1;
    check(apus_session_create(model, &options, &session, &error));
    check(apus_session_input_info(session, 0, 0, &image, &error));
    check(apus_session_output_info(session, 0, 0, &logits, &error));
    FILE *file = fopen(arguments[2], "rb");
    void *pixels = apus_session_input_data(session, 0, 0);
    if (!file || fread(pixels, 1, image.byte_size, file) != image.byte_size || getc(file) != EOF)
        return fprintf(stderr, "hello: %s: not %zu bytes\n", arguments[2], image.byte_size), 1;
    check(apus_session_run(session, &error));
    const float *values = apus_session_output_data(session, 0, 0);
    size_t classes = logits.byte_size / sizeof *values, best = 0;
    for (size_t i = 1; i < classes; ++i) best = values[i] > values[best] ? i : best;
    const char *label = apus_model_metadata(model, "labels.logits");
    for (size_t line = 0; label && line < best; ++line) label = (label = strchr(label, '\n')) ? label + 1 : NULL;
    printf("label %.*s\nlogits", label ? (int)strcspn(label, "\n") : 1, label ? label : "?");
    for (size_t i = 0; i < classes; ++i) printf(" %.9g%s", values[i], i + 1 < classes ? "" : "\n");
    apus_session_destroy(session);
    apus_model_close(model);
}
