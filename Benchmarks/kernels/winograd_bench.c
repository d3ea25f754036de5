/* Winograd's convolution beside the direct one, on one thread.
 *
 *   clang -Oz -ffp-contract=off -ISources/CKernels/include Benchmarks/kernels/winograd_bench.c \
 *       $(find Sources/CKernels -name "*.c") -lm -o /tmp/winograd_bench
 *
 * Columns: microseconds of the direct product, of F(2 × 2) and of F(4 × 4), with packed weights; microseconds of packing
 * each; effective GFLOP/s of the three. Each is the best of several runs, taken in turns. Last, the costs of
 * Sources/Apus/Export/ConvolutionCost.swift, fitted to these times. */
#include <math.h>

#include "bench.h"
#include "ck_winograd.h"

enum { MAX_LAYERS = 64, TERMS = 4 };
#define CACHED (1 << 18) /* weights that a second-level cache keeps from run to run */
typedef struct {
    double direct, multiply_adds, places[2], sources[2], results[2], weights[2], packed[2], seconds[2], packing[2];
} sample;

/* Solves for the non-negative costs c with Σ terms·c ≈ seconds, in the sense of relative squares, by coordinate descent. */
static void fit(size_t count, double terms[][TERMS], const double *seconds, double *c) {
    for (int i = 0; i < TERMS; i++) c[i] = 0;
    for (int round = 0; round < 20000; round++)
        for (int i = 0; i < TERMS; i++) {
            double up = 0, down = 0;
            for (size_t s = 0; s < count; s++) {
                double rest = 1;
                for (int j = 0; j < TERMS; j++)
                    if (j != i) rest -= terms[s][j] * c[j] / seconds[s];
                up += rest * terms[s][i] / seconds[s];
                down += terms[s][i] * terms[s][i] / (seconds[s] * seconds[s]);
            }
            c[i] = down > 0 && up > 0 ? up / down : 0;
        }
}

static sample bench(int batch, int size, int in_c, int out_c) {
    ck_winograd_params w = {.conv = {
        .batch = batch, .in_h = size, .in_w = size, .in_c = in_c, .out_h = size, .out_w = size, .out_c = out_c,
        .kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1, .pad_top = 1,
        .pad_left = 1, .groups = 1, .has_bias = 1, .activation = {.kind = CK_ACT_RELU}}};
    ck_conv_params *p = &w.conv;
    ck_isa isa = ck_isa_base(ck_isa_native());
    size_t pixels = (size_t)(batch * size * size), pairs = (size_t)in_c * (size_t)out_c;
    float *x = filled(pixels * (size_t)in_c), *y = filled(pixels * (size_t)out_c), *plain = filled(9 * pairs);
    float *bias = filled((size_t)out_c), *panels = filled(ck_conv_panel_elements(p));
    ck_conv_pack(CK_F32)(p, (void *[]){plain, panels}, 0, ck_conv_panels(p), 0);
    ck_winograd_params tiles[2] = {w, w};
    job jobs[5] = {{ck_conv(p, CK_F32, isa), p, {x, panels, bias, y}, ck_conv_units(p)}};
    float *u[2], *work[2];
    for (int i = 0; i < 2; i++) {
        tiles[i].tile = 2 + 2 * i;
        u[i] = filled(ck_winograd_panel_elements(&tiles[i]));
        work[i] = filled(ck_winograd_workspace(&tiles[i], CK_F32, 1) / sizeof(float));
        jobs[1 + i] = (job){ck_winograd(&tiles[i], CK_F32, isa), &tiles[i], {x, u[i], bias, y, work[i]},
                            ck_winograd_units(&tiles[i])};
        jobs[3 + i] = (job){ck_winograd_pack(CK_F32, isa), &tiles[i], {plain, u[i]}, ck_winograd_panels(&tiles[i])};
    }
    for (int j = 3; j < 5; j++) measure(&jobs[j]);
    for (int round = 0; round < 7; round++)
        for (int j = 0; j < 3; j++) measure(&jobs[j]);
    sample s = {.direct = jobs[0].seconds, .multiply_adds = 9.0 * (double)pixels * (double)pairs};
    printf("%3d×%3d² %4d→%4d ", batch, size, in_c, out_c);
    for (int i = 0; i < 5; i++) printf(" %9.1f", jobs[i].seconds * 1e6);
    for (int i = 0; i < 3; i++) printf(" %6.1f", 2e-9 * s.multiply_adds / jobs[i].seconds);
    printf("\n");
    for (int i = 0; i < 2; i++) {
        double m = 2 + 2 * i, across = ceil(size / m), places = (m + 2) * (m + 2), count = batch * across * across;
        s.places[i] = count * places * (double)pairs;
        s.sources[i] = count * places * in_c;
        s.results[i] = count * places * out_c;
        s.weights[i] = places * (double)pairs > CACHED ? places * (double)pairs - CACHED : 0;
        s.packed[i] = places * (double)pairs;
        s.seconds[i] = jobs[1 + i].seconds;
        s.packing[i] = jobs[3 + i].seconds;
        free(u[i]), free(work[i]);
    }
    free(x), free(y), free(plain), free(bias), free(panels);
    return s;
}

int main(void) {
    static const int layers[][4] = {
        {1, 30, 32, 32},   {1, 13, 32, 64},   {1, 13, 64, 64},   {1, 4, 64, 64},    {1, 28, 16, 32},  {1, 56, 64, 64},
        {1, 28, 128, 128}, {1, 14, 256, 256}, {1, 7, 512, 512},  {1, 224, 64, 64},  {1, 112, 64, 128},
        {1, 112, 128, 128}, {1, 56, 128, 256}, {1, 56, 256, 256}, {1, 28, 256, 512}, {1, 28, 512, 512},
        {1, 14, 512, 512}, {32, 13, 32, 64},  {32, 15, 32, 64},  {32, 6, 64, 64},   {16, 32, 16, 16}, {16, 16, 32, 32},
        {16, 8, 64, 64},   {1, 8, 16, 16},    {1, 32, 3, 32},    {1, 224, 3, 64},
        {1, 56, 128, 32},  {1, 28, 192, 16},  {1, 28, 32, 256},
    };
    const size_t count = sizeof layers / sizeof *layers;
    sample samples[MAX_LAYERS];
    double direct = 0, terms[MAX_LAYERS][TERMS], seconds[MAX_LAYERS], cost[TERMS];
    printf("                      direct    F(2×2)    F(4×4)     packing             GFLOP/s\n");
    for (size_t i = 0; i < count; i++) samples[i] = bench(layers[i][0], layers[i][1], layers[i][2], layers[i][3]);
    for (size_t i = 0; i < count; i++) {
        terms[i][0] = samples[i].multiply_adds;
        terms[i][1] = samples[i].multiply_adds / (9.0 * layers[i][2]);
        terms[i][2] = fmax(9.0 * layers[i][2] * layers[i][3] - CACHED, 0);
        terms[i][3] = 0;
        seconds[i] = samples[i].direct;
    }
    fit(count, terms, seconds, cost);
    direct = cost[0];
    printf("direct: product 1, sum %.2f, weight %.2f (%.4f ns)\n", cost[1] / direct / 9, cost[2] / direct, direct * 1e9);
    for (int t = 0; t < 2; t++) {
        double packing = 0;
        for (size_t i = 0; i < count; i++) {
            terms[i][0] = samples[i].places[t];
            terms[i][1] = samples[i].sources[t];
            terms[i][2] = samples[i].results[t];
            terms[i][3] = samples[i].weights[t];
            seconds[i] = samples[i].seconds[t];
            packing += samples[i].packing[t] / samples[i].packed[t] / (double)count;
        }
        fit(count, terms, seconds, cost);
        printf("tile %d: product %.2f, source %.2f, sum %.2f, weight %.2f, packing %.2f\n", 2 + 2 * t, cost[0] / direct,
               cost[1] / direct, cost[2] / direct, cost[3] / direct, packing / direct);
    }
}
