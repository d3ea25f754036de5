/* What the lean Swift targets need of the operating system. No function aborts; failures are return values. */
#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <stddef.h>
#include <stdint.h>

/* Maps a file read-only. Returns 0, or errno; a directory or an empty file is an error. */
int cs_map_file(const char *path, const void **bytes, size_t *size);
void cs_unmap(const void *bytes, size_t size);

/* NULL when there is no memory. `alignment` is a power of two. */
void *cs_allocate(size_t size, size_t alignment);
void cs_free(void *memory);

const char *cs_error_text(int error_number);
const char *cs_environment(const char *name);
uint64_t cs_nanoseconds(void); /* monotonic */
size_t cs_processor_count(void); /* that this process may use: affinity and cgroup quota */

uint32_t cs_crc32(uint32_t crc, const void *bytes, size_t size); /* IEEE 802.3; start with 0 */

typedef struct {
    uint32_t state[8];
    uint64_t length;
    uint8_t block[64];
} cs_sha256;
void cs_sha256_begin(cs_sha256 *hash);
void cs_sha256_update(cs_sha256 *hash, const void *bytes, size_t size);
void cs_sha256_end(cs_sha256 *hash, uint8_t digest[32]);

/* A pool of threads that lives in memory the caller provides. The calling thread is one of the `lanes`. */
typedef struct cs_pool cs_pool;
typedef void (*cs_body)(void *context, size_t index);
size_t cs_pool_size(size_t lanes);
int cs_pool_start(cs_pool *pool, size_t lanes); /* 0, or errno with nothing started */
void cs_pool_run(cs_pool *pool, cs_body body, void *context); /* body(context, i) for i in 0 ..< lanes, then returns */
void cs_pool_stop(cs_pool *pool);
/* For about so many nanoseconds after a run its threads are awake. */
enum { CS_AWAKE = 60000 };

/* Shares 0 ..< count out among `lanes` threads. Each takes pieces of its own of as many equal stretches, so that it meets what
 * it left in its cache, and then of the others', until none is left: half of what nobody has taken yet, so that a thread which
 * the system holds up is left with little, but `least` at a time. `taken` has CS_TAKEN numbers for each lane, which start at 0.
 * Returns the size of the piece that begins at *first, or 0. */
enum { CS_TAKEN = 8 }; /* a cache line */
size_t cs_take(size_t *taken, size_t count, size_t lanes, size_t lane, size_t least, size_t *first);

/* Running out of memory inside Swift, which cannot report it.
 *
 * In libapus, Swift's allocations go through cs_swift_allocate. Between begin and end, when malloc fails, they are served
 * from a reserve and `failed` turns true; the caller then destroys what it made, ends the guard and reports that there
 * was no memory. A call that builds more than a little first asks for a reserve that is sure to be enough. A guard within
 * another, as of a call that a caller's allocator makes, is part of it. Elsewhere these functions change nothing. */
int cs_guard_begin(void);               /* 0, or −1 when there is no memory for the reserve */
int cs_guard_reserve(size_t size);      /* likewise; 0 outside a guard */
int cs_guard_failed(void);
void cs_guard_end(void);
/* Between these, allocations live for ever: globals are made here. */
void cs_permanent_begin(void);
void cs_permanent_end(void);
int cs_swift_allocate(void **memory, size_t alignment, size_t size);
void cs_swift_free(void *memory);

/* The mode of floating-point arithmetic that results are defined in: to the nearest, numbers near 0 as they are, no traps. A host
 * may have set another. Returns what cs_float_end restores. */
#if defined(__x86_64__)
enum { CS_FLOAT_FLAGS = 0x3f, CS_FLOAT_MODE = 0x1f80 };
static inline uint64_t cs_float_begin(void) {
    const uint32_t mode = __builtin_ia32_stmxcsr();
    if ((mode & ~(uint32_t)CS_FLOAT_FLAGS) != CS_FLOAT_MODE) __builtin_ia32_ldmxcsr(CS_FLOAT_MODE);
    return mode;
}
static inline void cs_float_end(uint64_t mode) {
    if ((mode & ~(uint64_t)CS_FLOAT_FLAGS) != CS_FLOAT_MODE) __builtin_ia32_ldmxcsr((uint32_t)mode);
}
#elif defined(__aarch64__)
static inline uint64_t cs_float_begin(void) {
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    if (mode != 0) __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)0) : "memory");
    return mode;
}
static inline void cs_float_end(uint64_t mode) {
    if (mode != 0) __asm__ volatile("msr fpcr, %0" ::"r"(mode) : "memory");
}
#else
static inline uint64_t cs_float_begin(void) { return 0; }
static inline void cs_float_end(uint64_t mode) { (void)mode; }
#endif

#endif
