#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int cs_map_file(const char *path, const void **bytes, size_t *size) {
    /* O_NONBLOCK: opening a named pipe must not wait. lseek rather than fstat, whose symbol is younger than glibc 2.17. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return errno;
    int error = 0;
    void *mapping = MAP_FAILED;
    off_t length = lseek(descriptor, 0, SEEK_END);
    char nothing;
    if (read(descriptor, &nothing, 0) < 0) {
        error = errno; /* a directory, whose end may lie anywhere */
    } else if (length <= 0) {
        error = ENODATA;
    } else {
        mapping = mmap(NULL, (size_t)length, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (mapping == MAP_FAILED) error = errno;
    }
    close(descriptor);
    if (error != 0) return error;
    *bytes = mapping;
    *size = (size_t)length;
    return 0;
}

void cs_unmap(const void *bytes, size_t size) { munmap((void *)bytes, size); }

/* Kernels go through large blocks at strides of which each touches another page: fewer pages, where whole large ones fit. */
static void *in_large_pages(size_t size) {
    void *memory = NULL;
#if defined(MADV_HUGEPAGE)
    enum { LARGE = 1 << 21 };
    if (size >= LARGE && posix_memalign(&memory, LARGE, size) == 0)
        madvise(memory, size / LARGE * LARGE, MADV_HUGEPAGE);
#endif
    return memory;
}

void *cs_allocate(size_t size, size_t alignment) {
    void *memory = in_large_pages(size);
    if (memory != NULL) return memory;
    if (alignment < sizeof(void *)) alignment = sizeof(void *);
    return posix_memalign(&memory, alignment, size == 0 ? 1 : size) == 0 ? memory : NULL;
}

void cs_free(void *memory) { free(memory); }

const char *cs_error_text(int error_number) {
    switch (error_number) {
    case ENOENT: return "no such file";
    case ENOTDIR: return "not in a directory";
    case ELOOP: return "a loop of links";
    case EACCES: return "permission denied";
    case ENODEV:
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
