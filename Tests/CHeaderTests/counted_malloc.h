/* The process's malloc, counted, and failing on request. Included by one unit of a test, after support.h.
 *
 * glibc's own allocator stays underneath under its __libc_ names; definitions here take precedence over libc's for the
 * test and for libapus.so alike. */
#ifndef COUNTED_MALLOC_H
#define COUNTED_MALLOC_H

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static atomic_long calls, live; /* calls that allocate; blocks not yet freed */
enum { NO_FAILURE = 1 << 30 };
static atomic_long failing = NO_FAILURE; /* this many calls succeed before one fails */
static atomic_int lasting;               /* whether every later one fails too */
static atomic_long failed;

static int refused(void) {
    atomic_fetch_add(&calls, 1);
    long left = atomic_fetch_sub(&failing, 1);
    if (left > 0 || (left < 0 && !atomic_load(&lasting))) return 0;
    atomic_fetch_add(&failed, 1);
    errno = ENOMEM;
    return 1;
}

static void *counted(void *block) {
    if (block) atomic_fetch_add(&live, 1);
    return block;
}

void *malloc(size_t size) { return refused() ? NULL : counted(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) { return refused() ? NULL : counted(__libc_calloc(count, size)); }

void *realloc(void *block, size_t size) {
    if (refused()) return NULL;
    void *moved = __libc_realloc(block, size);
    if (!block) return counted(moved);
    if (!moved && size == 0) atomic_fetch_sub(&live, 1);
    return moved;
}

void *memalign(size_t alignment, size_t size) { return refused() ? NULL : counted(__libc_memalign(alignment, size)); }

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
    void *made = memalign(alignment, size);
    if (!made) return ENOMEM;
    *block = made;
    return 0;
}

void free(void *block) {
    if (block) atomic_fetch_sub(&live, 1);
    __libc_free(block);
}

#endif
