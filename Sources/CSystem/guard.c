#include "CSystem.h"

#include <stdlib.h>

typedef struct {
    char *base;
    size_t size, used;
    int active, failed, permanent, nested;
} guard_state;

/* initial-exec: a few bytes of static TLS, and no need of __tls_get_addr. */
static _Thread_local __attribute__((tls_model("initial-exec"))) guard_state guard;

static _Alignas(16) char permanent[1 << 15];
static size_t permanent_used;

enum { SMALL = 1 << 14 };

int cs_guard_begin(void) {
    if (guard.active) {
        guard.nested++;
        return 0;
    }
    guard = (guard_state){.base = malloc(SMALL), .size = SMALL};
    guard.active = guard.base != NULL;
    return guard.active ? 0 : -1;
}

int cs_guard_reserve(size_t size) {
    if (guard.failed) return -1;
    if (!guard.active || size <= guard.size) return 0;
    char *larger = malloc(size);
    if (larger == NULL) return -1;
    free(guard.base);
    guard.base = larger;
    guard.size = size;
    return 0;
}

int cs_guard_failed(void) { return guard.failed; }

void cs_guard_end(void) {
    if (guard.nested > 0) {
        guard.nested--;
        return;
    }
    free(guard.base);
    guard = (guard_state){0};
}

void cs_permanent_begin(void) { guard.permanent = 1; }
void cs_permanent_end(void) { guard.permanent = 0; }

static void *bump(char *base, size_t size, size_t *used, size_t alignment, size_t count) {
    uintptr_t start = ((uintptr_t)base + *used + alignment - 1) / alignment * alignment;
    if (start + count > (uintptr_t)base + size) return NULL;
    *used = start + count - (uintptr_t)base;
    return (void *)start;
}

int cs_swift_allocate(void **memory, size_t alignment, size_t size) {
    if (guard.permanent) {
        *memory = bump(permanent, sizeof permanent, &permanent_used, alignment, size);
        if (*memory != NULL) return 0;
    }
    if (posix_memalign(memory, alignment, size) == 0) return 0;
    guard.failed = 1;
    *memory = bump(guard.base, guard.size, &guard.used, alignment, size);
    return *memory != NULL ? 0 : 12;
}

static int within(const void *memory, const char *base, size_t size) {
    return base != NULL && (uintptr_t)memory - (uintptr_t)base < size;
}

void cs_swift_free(void *memory) {
    if (within(memory, guard.base, guard.size) || within(memory, permanent, sizeof permanent)) return;
    free(memory);
}
