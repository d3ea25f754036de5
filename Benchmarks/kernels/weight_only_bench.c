/* Products of reals, or of codes, by integer weights alone, on one thread: the reference's bits on every instruction set, then the
 * gigabytes a second at which one row goes through the weights and their scales, and the operations a second of 128 rows.
 *
 *   clang -O2 -ffp-contract=off -ISources/CKernels/include Benchmarks/kernels/weight_only_bench.c \
 *       $(find Sources/CKernels -name "*.c") -lm -o /tmp/weight_only_bench && /tmp/weight_only_bench [ROUNDS]
 *
 * Operands lie in memory of their exact size: with -fsanitize=address,undefined a read beside them is found. */
#include <math.h>
#include <string.h>

#include "bench.h"
#include "ck_quantized.h"

typedef enum { W8, W4, W4_CODES } scheme;
static const char *const names[] = {"w8", "w4", "w4-dynamic"};
static const ck_isa sets[] = {CK_ISA_AVX512, CK_ISA_AVX2};

static float real(void) { return (float)between(-1000, 1000) * 1e-3f; }

static void *room(size_t bytes) {
    void *p = malloc(bytes > 0 ? bytes : 1);
    if (!p) abort();
    return p;
}
static int8_t *integers(size_t count, int low, int high) {
    int8_t *p = room(count);
    for (size_t i = 0; i < count; i++) p[i] = (int8_t)between(low, high);
    return p;
}
/* Of kind 1 with numbers too small for all their bits, of 2 with infinities and NaN, of 3 with zeros, of 4 with large ones. */
static float *reals(size_t count, int kind) {
    float *p = room(count * sizeof *p);
    for (size_t i = 0; i < count; i++) {
        p[i] = real();
        if (kind == 1 && random32() % 20 == 0) p[i] = ldexpf(p[i], -90 - between(0, 60));
        if (kind == 2 && random32() % 200 == 0) p[i] = random32() % 2 ? INFINITY : NAN;
        if (kind == 3 && random32() % 3 == 0) p[i] = random32() % 2 ? 0.0f : -0.0f;
        if (kind == 4 && random32() % 9 == 0) p[i] *= 1e38f;
    }
    return p;
}

typedef struct {
    ck_weight_only_params p;
    scheme scheme;
    void *operands[8];
    float *y;
    size_t count, weights /* bytes, scales among them */;
} product;

static product product_of(scheme s, ck_weight_only_params p, int kind) {
    product t = {.p = p, .scheme = s, .count = (size_t)(p.m * p.n)};
    const size_t k = (size_t)p.k, n = (size_t)p.n, blocks = (k + (size_t)p.block - 1) / (size_t)p.block;
    const size_t panels = (n + 15) / 16 * ((k + 3) / 4) * (s == W8 ? 64 : 32);
    void **next = t.operands;
    *next++ = s == W4_CODES ? (void *)integers((size_t)p.m * k, -127, 127) : reals((size_t)p.m * k, kind);
    *next++ = integers(panels, -127, 127);
    uint16_t *scales = *next++ = room(blocks * n * sizeof *scales);
    for (size_t i = 0; i < blocks * n; i++) scales[i] = (uint16_t)(0x2000 + random32() % 0x800);
    if (s == W4_CODES) *next++ = reals((size_t)p.m, 0);
    if (p.has_zeros) *next++ = integers(blocks * n, -7, 7);
    if (p.has_bias) *next++ = reals(n, 0);
    if (p.has_residual) *next++ = reals(t.count, 0);
    *next = t.y = room(t.count * sizeof(float));
    t.weights = panels + blocks * n * sizeof *scales;
    return t;
}
static void release(product *t) {
    for (size_t i = 0; i < sizeof t->operands / sizeof *t->operands; i++) free(t->operands[i]);
}
static ck_task task_of(const product *t, ck_isa isa) {
    return t->scheme == W4_CODES ? ck_weight_only_codes(isa) : ck_weight_only(t->scheme == W8 ? CK_I8 : CK_I4, isa);
}

/* In two calls, the later units first. */
static void run_split(product *t, ck_isa isa) {
    const size_t units = ck_weight_only_units(&t->p), cut = random32() % (units + 1);
    memset(t->y, 0x55, t->count * sizeof(float));
    task_of(t, isa)(&t->p, t->operands, cut, units, 0);
    task_of(t, isa)(&t->p, t->operands, 0, cut, 0);
}

static int equal(product *t) {
    float *wanted = room(t->count * sizeof(float));
    run_split(t, CK_ISA_REFERENCE);
    memcpy(wanted, t->y, t->count * sizeof(float));
    int same = 1;
    for (size_t s = 0; s < sizeof sets / sizeof *sets && same; s++) {
        if (!ck_isa_is_supported(sets[s])) continue;
        run_split(t, sets[s]);
        for (size_t i = 0; i < t->count && same; i++)
            same = (isnan(wanted[i]) && isnan(t->y[i])) || memcmp(wanted + i, t->y + i, sizeof(float)) == 0;
        if (!same)
            printf("%s on %s differs: %d × %d × %d, blocks of %d%s\n", names[t->scheme], ck_isa_name(sets[s]), (int)t->p.m,
                   (int)t->p.k, (int)t->p.n, (int)t->p.block, t->p.has_zeros ? ", zero points" : "");
    }
    free(wanted);
    return same;
}

static int check(int rounds) {
    for (int i = 0; i < rounds; i++) {
        const scheme s = (scheme)between(W8, W4_CODES);
        const int k = between(1, 300), whole = s == W8 || (s == W4 && between(0, 4) == 0);
        const ck_weight_only_params p = {
            .m = between(1, between(0, 2) ? 2 : 40), .n = between(1, 200), .k = k, .block = whole ? k : 32 << between(0, 2),
            .has_zeros = s != W8 && between(0, 1), .has_bias = between(0, 1), .has_residual = between(0, 1),
            .activation.kind = between(0, 1) ? CK_ACT_RELU : CK_ACT_NONE};
        product t = product_of(s, p, between(0, 5));
        const int same = equal(&t);
        release(&t);
        if (!same) return 0;
    }
    printf("%d random products equal the reference\n", rounds);
    return 1;
}

static double seconds_of(product *t, ck_isa isa) {
    job j = {.task = task_of(t, isa), .params = &t->p, .units = ck_weight_only_units(&t->p)};
    memcpy(j.operands, t->operands, sizeof t->operands);
    for (int round = 0; round < 20; round++) measure(&j);
    return j.seconds;
}

static void time_rows(int m, const int (*shapes)[2], size_t count) {
    printf("%-12s %-20s %14s %14s\n", "", "m × k × n", "AVX-512", "AVX2");
    for (int s = W8; s <= W4_CODES; s++)
        for (size_t i = 0; i < count; i++) {
            const int k = shapes[i][0], n = shapes[i][1];
            product t = product_of((scheme)s, (ck_weight_only_params){.m = m, .k = k, .n = n, .block = s == W8 ? k : 32}, 0);
            printf("%-12s %3d × %4d × %-7d", names[s], m, k, n);
            for (size_t set = 0; set < sizeof sets / sizeof *sets; set++) {
                if (!ck_isa_is_supported(sets[set])) printf("%14s ", "");
                else if (m == 1) printf("%9.1f GB/s ", (double)t.weights / seconds_of(&t, sets[set]) * 1e-9);
                else printf("%7.1f GFLOP/s ", 2e-9 * m * k * n / seconds_of(&t, sets[set]));
            }
            printf("\n");
            release(&t);
        }
}

int main(int count, char **arguments) {
    if (!check(count > 1 ? atoi(arguments[1]) : 2000)) return 1;
    static const int shapes[][2] = {{768, 768}, {768, 3072}, {3072, 768}, {768, 50257}};
    time_rows(1, shapes, 4);
    time_rows(128, shapes, 3);
    return 0;
}
