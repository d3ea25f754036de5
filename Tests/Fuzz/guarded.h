/* Memory whose first byte past the end, or last byte before the start, cannot be touched. */
#ifndef GUARDED_H
#define GUARDED_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct guarded {
    unsigned char *pages; /* a page without access, `capacity` bytes, a page without access */
    size_t capacity;
} guarded;

enum { GUARD_PAGE = 4096 };

static inline guarded guarded_make(size_t capacity) {
    guarded g = {NULL, (capacity + GUARD_PAGE - 1) / GUARD_PAGE * GUARD_PAGE};
    void *all = mmap(NULL, g.capacity + 2 * GUARD_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED || mprotect((char *)all + GUARD_PAGE, g.capacity, PROT_READ | PROT_WRITE)) {
        perror("guarded memory");
        exit(2);
    }
    g.pages = (unsigned char *)all + GUARD_PAGE;
    return g;
}

/* `size` bytes, a multiple of `alignment` from where they begin, as near to the end as that allows. */
static inline unsigned char *guarded_end(const guarded *g, size_t size, size_t alignment) {
    uintptr_t start = (uintptr_t)(g->pages + g->capacity) - size;
    return (unsigned char *)(start / alignment * alignment);
}

#endif
