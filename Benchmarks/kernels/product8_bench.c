/* The integer kernels on one thread: equal bytes on every instruction set, then GOP/s.
 *
 *   clang -O2 -ffp-contract=off -ISources/CKernels/include Benchmarks/kernels/product8_bench.c \
 *       $(find Sources/CKernels -name "*.c") -lm -o /tmp/product8_bench
 *
 * Columns: GOP/s (two a product) on AVX-512 AMX, AVX-512 VNNI, AVX-VNNI, AVX2, and microseconds on the fastest; each the best of
 * several runs, taken in turns. */
#include <string.h>

#include "bench.h"
#include "ck_quantized.h"

static const ck_isa sets[] = {CK_ISA_AVX512_AMX, CK_ISA_AVX512_VNNI, CK_ISA_AVX_VNNI, CK_ISA_AVX2, CK_ISA_REFERENCE};
enum { SETS = sizeof sets / sizeof *sets };

static void *bytes(size_t count) {
    int8_t *p = aligned_alloc(64, (count + 64) / 64 * 64);
    if (!p) abort();
    for (size_t i = 0; i < count; i++) p[i] = (int8_t)random32();
    return p;
}

typedef struct {
    ck_product8_params p;
    void *operands[9];
    size_t result, bytes, weights;
    int depthwise;
} product;

static product product_of(const ck_conv_params *g, int depthwise, int real, int residual, int rows, int bias) {
    product t = {.depthwise = depthwise};
    const size_t pixels = (size_t)g->batch * (size_t)g->out_h * (size_t)g->out_w, n = (size_t)g->out_c;
    const size_t k = (size_t)(g->kernel_h * g->kernel_w * (g->in_c / g->groups));
    t.p = (ck_product8_params){.geometry = *g, .padding = between(-128, 127), .real_output = real, .has_residual = residual,
                               .has_row_scales = rows, .has_bias = bias, .residual_zero = between(-128, 127),
                               .residual_scale = 0.37f};
    const int32_t zero = between(-128, 127), low = between(-128, 0), high = between(1, 127);
    t.p.to = (ck_quantizer){(float)(low - zero), (float)(high - zero), zero};
    for (ck_isa isa = CK_ISA_REFERENCE; isa <= CK_ISA_AVX512_AMX; isa++) {
        const int64_t lane_bytes = (int64_t)ck_product8_lane_bytes(&t.p, isa);
        if (lane_bytes > t.p.lane_bytes) t.p.lane_bytes = lane_bytes;
    }
    t.weights = k * n;
    int8_t *plain = bytes(k * n), *panels = bytes(ck_panels4_units(g) * 16 * ((k + 3) / 4 * 4));
    ck_pack_panels4(CK_I8)(g, (void *[]){plain, panels}, 0, ck_panels4_units(g), 0);
    int32_t *c = bytes(4 * n);
    float *m = bytes(4 * n), *s = bytes(4 * pixels), *b = bytes(4 * n);
    for (size_t i = 0; i < n; i++) {
        c[i] = between(-100000, 100000) - 128 * between(-100, 100) * (int32_t)k / 10;
        m[i] = (float)between(1, 1000) * 1e-2f / (float)(k * 100);
        b[i] = (float)between(-1000, 1000) * 1e-2f;
    }
    for (size_t i = 0; i < pixels; i++) s[i] = (float)between(1, 1000) * 1e-3f;
    void **next = t.operands;
    *next++ = bytes((size_t)g->batch * (size_t)g->in_h * (size_t)g->in_w * (size_t)g->in_c);
    *next++ = depthwise ? plain : panels;
    *next++ = c;
    *next++ = m;
    if (rows) *next++ = s;
    if (bias) *next++ = b;
    if (residual) *next++ = bytes(pixels * n);
    t.result = (size_t)(next - t.operands);
    t.bytes = pixels * n * (real ? 4 : 1);
    *next++ = bytes(t.bytes + 64);
    *next = bytes((size_t)t.p.lane_bytes);
    return t;
}

static void run(const product *t, ck_isa isa, int split) {
    ck_task task = t->depthwise ? ck_depthwise8(&t->p, isa) : ck_product8(&t->p, isa);
    const size_t units = t->depthwise ? ck_depthwise8_units(&t->p) : ck_product8_units(&t->p, isa);
    void *const *o = t->operands;
    if (!split) task(&t->p, o, 0, units, 0);
    else for (size_t u = units; u > 0; u--) task(&t->p, o, u - 1, u, 0);
}

static int equal(const product *t, const char *what) {
    uint8_t *y = t->operands[t->result], *wanted = malloc(t->bytes + 64);
    memset(y, 0x55, t->bytes + 64);
    run(t, CK_ISA_REFERENCE, 0);
    memcpy(wanted, y, t->bytes + 64);
    for (int i = 0; i < SETS - 1; i++) {
        if (!ck_isa_is_supported(sets[i])) continue;
        for (int split = 0; split < 2; split++) {
            memset(y, 0x55, t->bytes + 64);
            run(t, sets[i], split);
            for (size_t at = 0; at < t->bytes + 64; at++)
                if (y[at] != wanted[at]) {
                    const ck_conv_params *g = &t->p.geometry;
                    printf("%s on %s: byte %zu is %d, wanted %d; %d×%d×%d×%d → %d×%d×%d, %d×%d/%d g%d\n", what,
                           ck_isa_name(sets[i]), at, y[at], wanted[at], g->batch, g->in_h, g->in_w, g->in_c, g->out_h,
                           g->out_w, g->out_c, g->kernel_h, g->kernel_w, g->stride_h, g->groups);
                    return 0;
                }
        }
    }
    free(wanted);
    return 1;
}

static void release(product *t) {
    for (size_t i = 0; i < sizeof t->operands / sizeof *t->operands; i++) free(t->operands[i]);
}

static int check(int rounds) {
    int wrong = 0;
    for (int i = 0; i < rounds;) {
        const int depthwise = random32() % 3 == 0, groups = depthwise ? 1 : random32() % 3 ? 1 : between(1, 4);
        ck_conv_params g = {.batch = between(1, 2), .in_h = between(1, 14), .in_w = between(1, 14),
                            .kernel_h = between(1, 5), .kernel_w = between(1, 5), .stride_h = between(1, 3),
                            .stride_w = between(1, 3), .dilation_h = between(1, 2), .dilation_w = between(1, 2),
                            .pad_top = between(0, 3), .pad_left = between(0, 3), .groups = groups};
        if (!depthwise && random32() % 3 == 0) g.kernel_h = g.kernel_w = g.stride_h = g.stride_w = 1, g.pad_top = g.pad_left = 0;
        g.in_c = groups * between(1, random32() % 2 ? 9 : 140);
        g.out_c = groups * between(1, random32() % 2 ? 20 : 200);
        if (depthwise) g.groups = g.out_c = g.in_c;
        else if (random32() % 3 == 0) {
            g.groups = g.stride_h = g.stride_w = g.dilation_h = g.dilation_w = 1;
            g.kernel_h = g.kernel_w = 3;
            g.in_c = 16 * between(1, 12);
        }
        g.out_h = (g.in_h + 2 * g.pad_top - (g.kernel_h - 1) * g.dilation_h - 1) / g.stride_h + 1;
        g.out_w = (g.in_w + 2 * g.pad_left - (g.kernel_w - 1) * g.dilation_w - 1) / g.stride_w + 1;
        if (g.out_h < 1 || g.out_w < 1 || g.in_h + 2 * g.pad_top <= (g.kernel_h - 1) * g.dilation_h ||
            g.in_w + 2 * g.pad_left <= (g.kernel_w - 1) * g.dilation_w)
            continue;
        const int real = random32() % 4 == 0;
        product t = product_of(&g, depthwise, real, !real && random32() % 2, !depthwise && real && random32() % 2,
                               !depthwise && real && random32() % 2);
        wrong += !equal(&t, depthwise ? "depthwise" : "product");
        release(&t);
        i++;
    }
    return wrong;
}

static void bench(int batch, int size, int in_c, int out_c, int kernel, int stride, int depthwise) {
    const int out = (size - 1) / stride + 1;
    ck_conv_params g = {.batch = batch, .in_h = size, .in_w = size, .in_c = in_c, .out_h = out, .out_w = out, .out_c = out_c,
                        .kernel_h = kernel, .kernel_w = kernel, .stride_h = stride, .stride_w = stride, .dilation_h = 1,
                        .dilation_w = 1, .pad_top = (kernel - 1) / 2, .pad_left = (kernel - 1) / 2,
                        .groups = depthwise ? in_c : 1};
    product t = product_of(&g, depthwise, 0, 0, 0, 0);
    double best[SETS];
    for (int i = 0; i < SETS; i++) best[i] = 1;
    for (int round = 0; round < 8; round++)
        for (int i = 0; i < SETS - 1; i++) {
            if (!ck_isa_is_supported(sets[i])) continue;
            double begin = now();
            run(&t, sets[i], 0);
            long repeats = 1 + (long)(3e-3 / (now() - begin + 1e-9));
            begin = now();
            for (long r = 0; r < repeats; r++) run(&t, sets[i], 0);
            double seconds = (now() - begin) / (double)repeats;
            if (seconds < best[i]) best[i] = seconds;
        }
    const double work = 2e-9 * (double)t.weights * batch * out * out;
    printf("%2d×%3d² %4d→%4d %d×%d/%d%s", batch, size, in_c, out_c, kernel, kernel, stride, depthwise ? " dw" : "   ");
    for (int i = 0; i < SETS - 1; i++) printf(" %7.1f", work / best[i]);
    double least = 1;
    for (int i = 0; i < SETS - 1; i++) least = best[i] < least ? best[i] : least;
    printf(" %9.2f\n", least * 1e6);
    release(&t);
}

int main(int argc, char **argv) {
    const int rounds = argc > 1 ? atoi(argv[1]) : 400;
    printf("%d random products: %d differ\n", rounds, check(rounds));
    printf("                             amx  512vnni    vnni    avx2        µs\n");
    static const int layers[][7] = {
        {1, 1, 784, 1024, 1, 1, 0},   {1, 1, 1024, 1024, 1, 1, 0}, {1, 1, 1024, 10, 1, 1, 0},  {1, 28, 1, 32, 3, 1, 0},
        {1, 14, 32, 64, 3, 1, 0},     {1, 32, 3, 32, 3, 1, 0},     {1, 16, 32, 64, 3, 1, 0},   {1, 224, 3, 64, 7, 2, 0},
        {1, 56, 64, 64, 3, 1, 0},     {1, 28, 128, 128, 3, 1, 0},  {1, 14, 256, 256, 3, 1, 0}, {1, 7, 512, 512, 3, 1, 0},
        {1, 56, 64, 128, 3, 2, 0},    {1, 56, 64, 256, 1, 1, 0},   {1, 56, 256, 64, 1, 1, 0},  {1, 14, 1024, 256, 1, 1, 0},
        {1, 7, 2048, 512, 1, 1, 0},   {1, 112, 32, 16, 1, 1, 0},   {1, 112, 16, 96, 1, 1, 0},  {1, 56, 24, 144, 1, 1, 0},
        {1, 14, 384, 64, 1, 1, 0},    {1, 14, 64, 384, 1, 1, 0},   {1, 7, 320, 1280, 1, 1, 0}, {1, 224, 3, 32, 3, 2, 0},
        {1, 112, 96, 96, 3, 2, 1},    {1, 56, 144, 144, 3, 1, 1},  {1, 28, 192, 192, 3, 1, 1}, {1, 14, 384, 384, 3, 1, 1},
        {1, 14, 576, 576, 3, 2, 1},   {1, 7, 960, 960, 3, 1, 1},   {1, 14, 480, 480, 5, 1, 1},
    };
    if (argc <= 2)
        for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
            bench(layers[i][0], layers[i][1], layers[i][2], layers[i][3], layers[i][4], layers[i][5], layers[i][6]);
    return 0;
}
