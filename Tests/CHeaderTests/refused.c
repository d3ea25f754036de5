/* refused FILE…: files that cannot be opened give a status and a line, and leave nothing behind. */
#include "support.h"
#include "counted_malloc.h"

int main(int count, char **arguments) {
    if (count < 2) return 2;
    print_lines();
    for (int i = 1; i < count; ++i) {
        bytes file = read_file(arguments[i]);
        apus_model *model;
        apus_model_open(arguments[i], &model, NULL); /* what a process allocates only once, it has now */
        long before = live;
        for (int again = 0; again < 3; ++again) {
            apus_error error;
            apus_status status = apus_model_open(arguments[i], &model, &error);
            CHECK(status != APUS_OK && model == NULL && error.code == status && one_line(error.message));
            CHECK(apus_model_open_memory(file.data, file.size, &model, &error) == status && model == NULL);
        }
        if (live != before) {
            ++failures;
            printf("%s: %ld blocks leaked\n", arguments[i], live - before);
        }
        free(file.data);
    }
    return failures != 0;
}
