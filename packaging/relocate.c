/* Relocates libapus.so where the loader does not.
 *
 * A table of operators and kernels is a table of addresses, and each address costs 24 bytes of Elf64_Rela beside its own
 * 8. libapus.so holds them packed, a bit an address (DT_RELR), under the tag of Android's loader: glibc before 2.36
 * ignores the standard one and later ones ask for a symbol of 2.36 beside it. So this function, which DT_INIT
 * makes the first of the library to run, applies them. Until then no address in the data of the library is valid: it is
 * reached relative to the program counter and uses no table. A loader that knows the tag has been here before. */
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define TAG_RELR 0x6fffe000   /* DT_ANDROID_RELR */
#define TAG_RELRSZ 0x6fffe001 /* DT_ANDROID_RELRSZ */

extern const ElfW(Ehdr) __ehdr_start HIDDEN;
extern ElfW(Dyn) _DYNAMIC[] HIDDEN;

static const void *volatile self = (const void *)&self;

/* An even word is the place of an address; an odd one tells by its bits 1 … 63 which of the next 63 words are addresses. */
static void apply(uintptr_t base, const uintptr_t *entry, size_t count) {
    const size_t word = sizeof(uintptr_t), span = 8 * word - 1;
    uintptr_t *where = NULL;
    for (; count > 0; count--, entry++) {
        if (*entry & 1) {
            for (size_t i = 0; i < span; i++)
                if (*entry >> (i + 1) & 1) where[i] += base;
            where += span;
        } else {
            where = (uintptr_t *)(base + *entry);
            *where++ += base;
        }
    }
}

HIDDEN void apus_relocate(void);
void apus_relocate(void) {
    const void *address = (const void *)&self;
    __asm__("" : "+r"(address));
    if (self == address) return;
    const uintptr_t base = (uintptr_t)&__ehdr_start, page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const ElfW(Phdr) *segment = (const void *)(base + __ehdr_start.e_phoff);
    const uintptr_t *entries = NULL;
    size_t count = 0;
    for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == TAG_RELR) entries = (const void *)(base + d->d_un.d_ptr);
        if (d->d_tag == TAG_RELRSZ) count = d->d_un.d_val / sizeof *entries;
    }
    /* What is read-only once relocated. */
    void *first = NULL;
    size_t size = 0;
    for (size_t i = 0; i < __ehdr_start.e_phnum; i++) {
        if (segment[i].p_type != PT_GNU_RELRO) continue;
        const uintptr_t begin = (base + segment[i].p_vaddr) & -page;
        first = (void *)begin;
        size = ((base + segment[i].p_vaddr + segment[i].p_memsz) & -page) - begin;
    }
    if (size > 0 && mprotect(first, size, PROT_READ | PROT_WRITE) != 0) _exit(127); /* nothing could work */
    apply(base, entries, count);
    if (size > 0) mprotect(first, size, PROT_READ);
}
