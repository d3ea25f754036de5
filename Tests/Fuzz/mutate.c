/* mutate [-s STRIDE] [-r REPRODUCER] MODEL…: every truncation, every flip of a bit and every varint replaced, as is and
 * with the header sealed again, so that the change reaches the reader. Each variant is opened, inspected, planned in
 * guarded memory of exactly the size asked for, and run on arbitrary tensors.
 *
 * A variant lies in REPRODUCER (default: build/fuzz/mutant.apus) before it is tried, so that a crash or a hang leaves it
 * there. STRIDE tries every n-th variant. Exits with 1 when a promise is broken. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "trial.h"
#include "wire.h"

enum {
    SECONDS = 20,           /* for one variant; sanitizers and a busy machine included */
    ADDRESS_SPACE = 1 << 30,
    WEIGHT_FLIPS = 4096,    /* bits of the weights that are flipped at most */
};

static trial t;
static uint8_t *original, *work, *sealed, *reproducer;
static size_t original_size, header_end, weights_at, capacity;
static wire numbers;
static unsigned long variants, tried, stride = 1, complaints;
static long memory_before;

static long memory_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return (long)(info.uordblks + info.hblkhd);
}

static void hang(int signal) {
    (void)signal;
    static const char text[] = "mutate: a variant took too long; the reproducer has it\n";
    if (write(2, text, sizeof text - 1) < 0) _exit(4);
    _exit(3);
}

/* The reproducer's room ends with the size. */
static void try_bytes(const uint8_t *bytes, size_t size, const char *what, size_t where) {
    if (variants++ % stride != 0) return;
    memcpy(reproducer, bytes, size);
    memcpy(reproducer + capacity, &size, sizeof size);
    alarm(SECONDS);
    int sound = trial_bytes(&t, bytes, size, tried++ % 2 == 0, 1);
    long left = memory_in_use() - memory_before;
    if (left != 0) {
        if (sound) trial_fails(&t, "memory not given back", "");
        snprintf(t.detail, sizeof t.detail, "%ld bytes", left);
        memory_before += left;
        sound = 0;
    }
    if (!sound && ++complaints <= 20) printf("%s at %zu: %s: %s\n", what, where, t.complaint, t.detail);
}

static void try_both(size_t size, size_t header_size, const char *what, size_t where) {
    try_bytes(work, size, what, where);
    size = envelope_seal(sealed, work, header_size, original + weights_at, original_size - weights_at);
    try_bytes(sealed, size, what, where);
}

static void replace_varints(void) {
    static const uint64_t values[] = {0, 1, UINT64_MAX, 1ull << 31, 1ull << 63, 2, 127, INT32_MAX, UINT32_MAX, 1ull << 32};
    for (int i = 0; i < numbers.count; i++)
        for (size_t v = 0; v < sizeof values / sizeof *values + 2; v++) {
            size_t known = sizeof values / sizeof *values;
            uint64_t value = v < known ? values[v] : numbers.varints[i].value + (v == known ? 1 : -1ull);
            if (value == numbers.varints[i].value) continue;
            /* As is: the lengths around it no longer fit; then with lengths that do. */
            for (int fit = 0; fit <= 1; fit++) {
                const wire_varint *number = &numbers.varints[i];
                size_t size = original_size;
                memcpy(work, original, original_size);
                uint8_t digits[10];
                ptrdiff_t grown = wire_splice(work, &size, number->at, number->size, digits, envelope_put_varint(digits, value));
                if (fit) grown = wire_fit(&numbers, work, &size, number->parent, grown);
                try_both(size, header_end + (size_t)grown, fit ? "varint" : "varint alone", number->at);
            }
        }
}

static void truncate_everywhere(void) {
    memcpy(work, original, original_size);
    size_t step = original_size > 1 << 16 ? original_size >> 16 : 1;
    for (size_t size = 0; size < original_size; size += size < weights_at ? 1 : step)
        try_both(size, size < header_end ? size : header_end, "truncated", size);
}

static void flip_everywhere(void) {
    memcpy(work, original, original_size);
    size_t bits = (original_size - weights_at) * 8, step = bits > WEIGHT_FLIPS ? bits / WEIGHT_FLIPS | 1 : 1;
    for (size_t bit = 0; bit < original_size * 8; bit += bit < weights_at * 8 ? 1 : step) {
        work[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (bit < header_end * 8) try_both(original_size, header_end, "bit", bit);
        else try_bytes(work, original_size, "bit", bit);
        work[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void read_model(const char *path) {
    FILE *file = fopen(path, "rb");
    original_size = file ? fread(original, 1, capacity, file) : 0;
    if (file) fclose(file);
    if (original_size == 0 || original_size == capacity ||
        !envelope_find(original, original_size, &header_end, &weights_at)) {
        fprintf(stderr, "%s: not an .apus file of less than %zu bytes\n", path, capacity);
        exit(2);
    }
}

int main(int count, char **arguments) {
    /* Blocks that malloc keeps for a thread would count as in use. */
    if (!getenv("GLIBC_TUNABLES")) {
        setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
        execv("/proc/self/exe", arguments);
    }
    const char *path = "build/fuzz/mutant.apus";
    int option;
    while ((option = getopt(count, arguments, "s:r:")) > 0) {
        if (option == 's') stride = strtoul(optarg, NULL, 10);
        else if (option == 'r') path = optarg;
        else return 2;
    }
    if (optind == count || stride == 0) return 2;
    setvbuf(stdout, NULL, _IOLBF, 4096);
    capacity = 1 << 22;
    int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (descriptor < 0 || ftruncate(descriptor, (off_t)(capacity + sizeof(size_t)))) {
        perror(path);
        return 2;
    }
    reproducer = mmap(NULL, capacity + sizeof(size_t), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    original = malloc(capacity);
    work = malloc(capacity);
    sealed = malloc(capacity);
    if (reproducer == MAP_FAILED || !original || !work || !sealed) return 2;
    t = trial_make(capacity);
    signal(SIGALRM, hang);
    struct rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = ADDRESS_SPACE;
    if (!getenv("ASAN_OPTIONS")) setrlimit(RLIMIT_AS, &limit);
    mallopt(M_MMAP_THRESHOLD, 1 << 16);

    for (int i = optind; i < count; i++) {
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        read_model(arguments[i]);
        t.opened = t.refused = t.ran = t.skipped = variants = tried = complaints = 0;
        numbers.count = 0;
        if (!wire_collect(&numbers, original, ENVELOPE_PREFIX, header_end, -1, 0)) return 2;
        /* The file itself is a model that runs, in every guise. Twice: some things are made once in a process. */
        for (int again = 0; again <= 3; again++)
            if (!trial_bytes(&t, original, original_size, again % 2, 1) || t.opened == 0 || t.ran == 0) {
                printf("%s: %s: %s\n", arguments[i], t.complaint ? t.complaint : "does not run", t.detail);
                return 1;
            }
        memory_before = memory_in_use();
        truncate_everywhere();
        flip_everywhere();
        replace_varints();
        alarm(0);
        clock_gettime(CLOCK_MONOTONIC, &end);
        double seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
        printf("%s: %zu bytes, %d varints: %lu variants, %lu refused, %lu opened, %lu runs, %lu too large, %.1f s\n",
               arguments[i], original_size, numbers.count, tried, t.refused, t.opened, t.ran, t.skipped, seconds);
        if (complaints > 0) {
            printf("%s: %lu broken promises\n", arguments[i], complaints);
            return 1;
        }
    }
    unlink(path);
    return 0;
}
