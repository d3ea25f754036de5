#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int cs_map_file(const char *path, const void **bytes, size_t *size) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return errno;
    struct stat status;
    int error = 0;
    void *mapping = MAP_FAILED;
    if (fstat(descriptor, &status) != 0) {
        error = errno;
    } else if (S_ISDIR(status.st_mode)) {
        error = EISDIR;
    } else if (!S_ISREG(status.st_mode) || status.st_size <= 0) {
        error = ENODATA;
    } else {
        mapping = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (mapping == MAP_FAILED) error = errno;
    }
    close(descriptor);
    if (error != 0) return error;
    *bytes = mapping;
    *size = (size_t)status.st_size;
    return 0;
}

void cs_unmap(const void *bytes, size_t size) { munmap((void *)bytes, size); }

void *cs_allocate(size_t size, size_t alignment) {
    void *memory = NULL;
    if (alignment < sizeof(void *)) alignment = sizeof(void *);
    return posix_memalign(&memory, alignment, size == 0 ? 1 : size) == 0 ? memory : NULL;
}

void cs_free(void *memory) { free(memory); }

const char *cs_error_text(int error_number) {
    switch (error_number) {
    case ENOENT: return "no such file";
    case EACCES: return "permission denied";
    case EISDIR: return "is a directory";
    case ENODATA: return "empty or not a regular file";
    case ENOMEM: return "out of memory";
    case EMFILE: return "too many open files";
    case ENOSPC: return "no space left on the device";
    default: return "input/output error";
    }
}

const char *cs_environment(const char *name) { return getenv(name); }

uint64_t cs_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
