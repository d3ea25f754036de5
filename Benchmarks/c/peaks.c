/* What this machine can do at most: multiply-adds a second, and bytes read a second from each level of its memory.
 *
 *   cc -O2 peaks.c -pthread -o peaks && ./peaks THREADS [avx2]
 *
 * Prints a line of JSON: GFLOP/s of f32 ("fma"), GOP/s of int8 products by AMX or else VNNI ("int8", null
 * without either), the instruction set used, and for each level its size in bytes and GB/s. Every figure is the best of several runs, all
 * threads together. A multiply-add is 2 operations. avx2: as on a processor that has no more. */
#include <cpuid.h>
#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Rounds are of milliseconds, and many, so that some run undisturbed on a shared machine. */
enum { ROUNDS = 40, CHAINS = 12, MOST_THREADS = 64 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* CHAINS sums that do not wait for each other; the empty assembly keeps each in its register. */
#define LOOP(turns, type, zero, step)                                    \
    type s[CHAINS];                                                      \
    _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) s[i] = zero; \
    for (long t = 0; t < (turns); t++)                                   \
        _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) {      \
            s[i] = step;                                                 \
            __asm__ volatile("" : "+v"(s[i]));                           \
        }

__attribute__((target("avx2,fma"))) static void fma_avx2(long turns) {
    __m256 x = _mm256_set1_ps(0.5f);
    LOOP(turns, __m256, _mm256_setzero_ps(), _mm256_fmadd_ps(s[i], x, x))
}

__attribute__((target("avx512f"))) static void fma_avx512(long turns) {
    __m512 x = _mm512_set1_ps(0.5f);
    LOOP(turns, __m512, _mm512_setzero_ps(), _mm512_fmadd_ps(s[i], x, x))
}

__attribute__((target("avx512f,avx512vnni"))) static void dot_avx512(long turns) {
    __m512i x = _mm512_set1_epi8(1);
    LOOP(turns, __m512i, _mm512_setzero_si512(), _mm512_dpbusd_epi32(s[i], x, x))
}

__attribute__((target("avxvnni"))) static void dot_avx2(long turns) {
    __m256i x = _mm256_set1_epi8(1);
    LOOP(turns, __m256i, _mm256_setzero_si256(), _mm256_dpbusd_avx_epi32(s[i], x, x))
}

/* Four sums of tiles that do not wait for each other. A product of tiles takes as long as sixteen others, and is counted as
 * many. */
enum { TILE_PRODUCT = 16 * 16 * 64 * 2 / 16 };
__attribute__((target("amx-tile,amx-int8"))) static void dot_amx(long turns) {
    struct {
        unsigned char palette, start, reserved[14];
        unsigned short row_bytes[16];
        unsigned char rows[16];
    } shapes = {.palette = 1};
    for (int i = 0; i < 8; i++) shapes.row_bytes[i] = 64, shapes.rows[i] = 16;
    __asm__ volatile("ldtilecfg %0" : : "m"(shapes)); /* GCC's intrinsic names eight bytes of them */
    _tile_zero(4);
    _tile_zero(5);
    for (long t = 0; t < turns * CHAINS / 16 / 4; t++) {
        _tile_dpbusd(0, 4, 5);
        _tile_dpbusd(1, 4, 5);
        _tile_dpbusd(2, 4, 5);
        _tile_dpbusd(3, 4, 5);
    }
    _tile_release();
}

/* Whether the processor has tiles of bytes and the system lets this process use them. */
static int has_amx(void) {
    enum { LEAF = 7, INT8 = 1 << 25, REQUEST = 0x1023, TILES = 18 };
    unsigned a, b, c, d;
    return __get_cpuid_count(LEAF, 0, &a, &b, &c, &d) && d & INT8 && syscall(SYS_arch_prctl, REQUEST, TILES) == 0;
}

__attribute__((target("avx2"))) static void read_avx2(const char *memory, size_t size) {
    for (size_t i = 0; i < size; i += 256)
        _Pragma("GCC unroll 8") for (size_t j = 0; j < 8; j++) {
            __m256i x = _mm256_load_si256((const __m256i *)(memory + i + j * 32));
            __asm__ volatile("" : : "v"(x));
        }
}

__attribute__((target("avx512f"))) static void read_avx512(const char *memory, size_t size) {
    for (size_t i = 0; i < size; i += 512)
        _Pragma("GCC unroll 8") for (size_t j = 0; j < 8; j++) {
            __m512i x = _mm512_load_si512((const void *)(memory + i + j * 64));
            __asm__ volatile("" : : "v"(x));
        }
}

typedef struct {
    void (*compute)(long turns);
    void (*read)(const char *memory, size_t size);
    size_t size;  /* bytes that each thread reads */
    long repeats; /* turns, or passes over the memory */
    pthread_barrier_t *barrier;
    double seconds[ROUNDS];
} job;

static void *work(void *argument) {
    job *j = argument;
    char *memory = NULL;
    if (j->read) {
        memory = aligned_alloc(4096, j->size);
        if (!memory) exit(1);
        memset(memory, 1, j->size);
    }
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(j->barrier);
        double began = now();
        if (j->compute) j->compute(j->repeats);
        else
            for (long pass = 0; pass < j->repeats; pass++) j->read(memory, j->size);
        pthread_barrier_wait(j->barrier);
        j->seconds[round] = now() - began;
    }
    free(memory);
    return NULL;
}

/* Seconds of the fastest round, all threads running `model` at once. */
static double fastest(job model, int threads) {
    pthread_t handles[MOST_THREADS];
    job jobs[MOST_THREADS];
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        jobs[i] = model;
        jobs[i].barrier = &barrier;
        if (pthread_create(&handles[i], NULL, work, &jobs[i])) exit(1);
    }
    for (int i = 0; i < threads; i++) pthread_join(handles[i], NULL);
    pthread_barrier_destroy(&barrier);
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++)
        if (jobs[0].seconds[round] < best) best = jobs[0].seconds[round];
    return best;
}

/* 10⁹ operations a second, of which each instruction does `operations`. */
static double rate(void (*compute)(long), int operations, int threads) {
    const job j = {.compute = compute, .repeats = 400000};
    return (double)j.repeats * CHAINS * operations * threads / fastest(j, threads) * 1e-9;
}

/* A level's memory: half of a core's cache, a quarter of a shared one, and far more than any. */
static void print_level(const char *name, size_t size, size_t part, int threads, int has_avx512) {
    const size_t each = part / 4096 * 4096;
    const job j = {.read = has_avx512 ? read_avx512 : read_avx2, .size = each, .repeats = (long)(((size_t)1 << 28) / each)};
    const double bytes = (double)each * (double)j.repeats * threads;
    printf("%s\"%s\": {\"bytes\": %zu, \"gb_per_s\": %.1f}", strcmp(name, "L1") ? ", " : "", name, size,
           bytes / fastest(j, threads) * 1e-9);
}

/* The size of a cache of processor 0: index 0 is L1 of data, 2 is L2, 3 is L3. */
static size_t cache(int index, size_t otherwise) {
    char path[80], unit = 0;
    size_t size = 0;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", index);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%zu%c", &size, &unit) >= 1) size <<= unit == 'K' ? 10 : unit == 'M' ? 20 : 0;
    if (file) fclose(file);
    return size ? size : otherwise;
}

int main(int count, char **arguments) {
    const int threads = count > 1 ? atoi(arguments[1]) : 1;
    if (threads < 1 || threads > MOST_THREADS) return fprintf(stderr, "1 to %d threads\n", MOST_THREADS), 1;
    __builtin_cpu_init();
    const int capped = count > 2 && !strcmp(arguments[2], "avx2");
    const int has_avx512 = !capped && __builtin_cpu_supports("avx512f");
    if (!has_avx512 && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")))
        return fprintf(stderr, "a processor with AVX2 and FMA is wanted\n"), 1;
    printf("{\"threads\": %d, \"isa\": \"%s\", \"fma\": %.1f, ", threads, has_avx512 ? "avx512" : "avx2",
           has_avx512 ? rate(fma_avx512, 32, threads) : rate(fma_avx2, 16, threads));
    if (!capped && has_amx()) printf("\"int8\": %.1f, ", rate(dot_amx, TILE_PRODUCT, threads));
    else if (has_avx512 && __builtin_cpu_supports("avx512vnni")) printf("\"int8\": %.1f, ", rate(dot_avx512, 128, threads));
    else if (!capped && __builtin_cpu_supports("avxvnni")) printf("\"int8\": %.1f, ", rate(dot_avx2, 64, threads));
    else printf("\"int8\": null, ");
    const size_t l1 = cache(0, 32 << 10), l2 = cache(2, 512 << 10),
                 l3 = cache(3, 16 << 20);
    printf("\"memory\": {");
    print_level("L1", l1, l1 / 2, threads, has_avx512);
    print_level("L2", l2, l2 / 2, threads, has_avx512);
    print_level("L3", l3, l3 / 4 / (size_t)threads, threads, has_avx512);
    print_level("DRAM", 0, (size_t)128 << 20, threads, has_avx512);
    printf("}}\n");
    return 0;
}
