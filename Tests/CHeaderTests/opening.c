/* opening MODEL: the version, the words for a status, and models that are opened wrongly. */
#include "support.h"

static void version_and_status(void) {
    CHECK(strcmp(apus_version(), APUS_VERSION_STRING) == 0);
    for (int status = -1; status <= 1000; ++status) CHECK(one_line(apus_status_text((apus_status)status)));
    CHECK(strcmp(apus_status_text(APUS_OK), apus_status_text(APUS_BAD_FILE)) != 0);
}

/* The text ends in a whole three-byte character. */
static bool whole_character(const char *text, size_t length) {
    return length >= 3 && (text[length - 3] & 0xF0) == 0xE0 && (text[length - 2] & 0xC0) == 0x80 &&
           (text[length - 1] & 0xC0) == 0x80;
}

static void opening(const char *path) {
    apus_model *model = NULL;
    bytes file = read_file(path);
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_open(NULL, &model, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_open(path, NULL, error));
    REFUSES(APUS_IO_ERROR, apus_model_open("no such file.apus", &model, error));
    REFUSES(APUS_IO_ERROR, apus_model_open("", &model, error));
    REFUSES(APUS_IO_ERROR, apus_model_open("/", &model, error));
    REFUSES(APUS_IO_ERROR, apus_model_open("/dev/null", &model, error));
    REFUSES(APUS_BAD_FILE, apus_model_open("/proc/self/exe", &model, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_open_memory(NULL, file.size, &model, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_open_memory(file.data, file.size, NULL, error));
    REFUSES(APUS_INVALID_ARGUMENT, apus_model_open_memory(file.data, SIZE_MAX, &model, error));
    REFUSES(APUS_BAD_FILE, apus_model_open_memory(file.data, 0, &model, error));
    REFUSES(APUS_BAD_FILE, apus_model_open_memory(file.data, file.size / 2, &model, error));
    REFUSES(APUS_BAD_FILE, apus_model_open_memory(file.data, file.size - 1, &model, error));
    REFUSES(APUS_BAD_FILE, apus_model_open_memory("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, &model, error));

    model = (apus_model *)&model;
    CHECK(apus_model_open("no such file.apus", &model, NULL) != APUS_OK && model == NULL);
    model = (apus_model *)&model;
    CHECK(apus_model_open_memory(file.data, 7, &model, NULL) != APUS_OK && model == NULL);

    memmove(file.data + 1, file.data, file.size);
    REQUIRE(apus_model_open_memory(file.data + 1, file.size, &model, error));
    apus_model_close(model);
    apus_model_close(NULL);
    free(file.data);

    /* A message that is cut short is cut between characters. */
    for (size_t shift = 0; shift < 3; ++shift) {
        apus_error said;
        char missing[4096] = "///";
        for (size_t i = shift; i + 4 < sizeof missing; i += 3) memcpy(missing + i, "\xE2\x82\xAC", 4);
        CHECK(apus_model_open(missing, &model, &said) == APUS_IO_ERROR && one_line(said.message));
        size_t length = strlen(said.message);
        CHECK(length > 0 && ((said.message[length - 1] & 0x80) == 0 || whole_character(said.message, length)));
    }
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    print_lines();
    version_and_status();
    opening(arguments[1]);
    return failures != 0;
}
