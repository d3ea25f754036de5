/* The convolution kernels on one thread.
 *
 *   clang -O2 -ffp-contract=off -ISources/CKernels/include Benchmarks/kernels/conv_bench.c \
 *       $(find Sources/CKernels -name "*.c") -lm -o /tmp/conv_bench
 *
 * Columns: GFLOP/s of the forward product, with f16 weights, of the input gradient, of the weight gradient; then the
 * forward product and the weight gradient on AVX2. Each is the best of several runs, taken in turns. */
#include "bench.h"
#include "ck_conv.h"

typedef struct {
    int batch, size, in_c, out_c, kernel, stride, groups;
} layer;

static void bench(const layer *l) {
    int out = (l->size - 1) / l->stride + 1, depthwise = l->groups > 1 && l->groups == l->in_c;
    ck_conv_params p = {
        .batch = l->batch, .in_h = l->size, .in_w = l->size, .in_c = l->in_c, .out_h = out, .out_w = out,
        .out_c = l->out_c, .kernel_h = l->kernel, .kernel_w = l->kernel, .stride_h = l->stride,
        .stride_w = l->stride, .dilation_h = 1, .dilation_w = 1,
        .pad_top = (l->kernel - l->stride) / 2 > 0 ? (l->kernel - l->stride) / 2 : 0, .groups = l->groups,
        .has_bias = 1, .activation = {.kind = CK_ACT_RELU}};
    p.pad_left = p.pad_top;
    size_t taps = (size_t)l->kernel * (size_t)l->kernel, pixels = (size_t)(l->batch * out * out);
    size_t weights = taps * (size_t)(l->in_c / l->groups) * (size_t)l->out_c;
    size_t inputs = (size_t)(l->batch * l->size * l->size * l->in_c);
    float *x = filled(inputs), *y = filled(pixels * (size_t)l->out_c);
    float *w = filled(weights), *b = filled((size_t)l->out_c), *dw = filled(depthwise ? weights : ck_conv_weight_gradient_sums(&p)), *dx = filled(inputs);
    float *panels = filled(ck_conv_panel_elements(&p)), *across = filled(ck_conv_transposed_panel_elements(&p));
    float *scratch = filled(ck_conv_weight_gradient_scratch(&p));
    uint16_t *half = (uint16_t *)filled(ck_conv_panel_elements(&p));
    for (size_t i = 0; i < ck_conv_panel_elements(&p); i++) half[i] = (uint16_t)(0x3000 + i % 64);
    ck_conv_params plain = p;
    plain.has_bias = 0;
    plain.activation.kind = CK_ACT_NONE;
    ck_conv_pack(CK_F32)(&p, (void *[]){w, panels}, 0, ck_conv_panels(&p), 0);
    ck_conv_pack_transposed(CK_F32)(&p, (void *[]){w, across}, 0, ck_conv_transposed_panels(&p), 0);
    ck_isa isa = ck_isa_base(ck_isa_native()), low = CK_ISA_AVX2;
    size_t f = depthwise ? ck_depthwise_units(&p) : ck_conv_units(&p);
    size_t gi = depthwise ? ck_depthwise_input_gradient_units(&p) : ck_conv_input_gradient_units(&p);
    size_t gw = depthwise ? ck_depthwise_weight_gradient_units(&p) : ck_conv_weight_gradient_units(&p);
    float *forward = depthwise ? w : panels, *back = depthwise ? w : across;
    const ck_task half_task = depthwise ? ck_depthwise(&p, CK_F16, isa) : ck_conv(&p, CK_F16, isa);
    const ck_task dx_task = depthwise ? ck_depthwise_input_gradient(&p, CK_F32, isa) : ck_conv_input_gradient(&p, CK_F32, isa);
#define FORWARD(isa) depthwise ? ck_depthwise(&p, CK_F32, isa) : ck_conv(&p, CK_F32, isa)
#define WEIGHT_GRADIENT(isa) \
    depthwise ? ck_depthwise_weight_gradient(&p, CK_F32, isa) : ck_conv_weight_gradient(&p, CK_F32, isa)
    job jobs[] = {
        {FORWARD(isa), &p, {x, forward, b, y}, f},
        {half_task, &p, {x, half, b, y}, f},
        {dx_task, &plain, {y, back, dx}, gi},
        {WEIGHT_GRADIENT(isa), &p, {x, y, dw, scratch}, gw},
        {FORWARD(low), &p, {x, forward, b, y}, f},
        {WEIGHT_GRADIENT(low), &p, {x, y, dw, scratch}, gw},
    };
    const size_t count = sizeof jobs / sizeof *jobs;
    for (int round = 0; round < 8; round++)
        for (size_t i = 0; i < count; i++) measure(&jobs[i]);
    double work = 2.0 * (double)pixels * (double)weights * 1e-9;
    printf("%3d×%3d² %4d→%4d %d×%d/%d g%-4d", l->batch, l->size, l->in_c, l->out_c, l->kernel, l->kernel, l->stride,
           l->groups);
    for (size_t i = 0; i < count; i++) printf(" %7.1f", work / jobs[i].seconds);
    printf("\n");
    free(x), free(y), free(w), free(b), free(dw), free(dx), free(panels), free(across), free(half), free(scratch);
}

int main(void) {
    printf("                                  f32     f16      dx      dW    avx2 avx2 dW\n");
    static const layer layers[] = {
        {32, 28, 1, 32, 3, 1, 1},   {32, 13, 32, 64, 3, 1, 1},  {8, 32, 3, 32, 3, 1, 1},   {8, 15, 32, 64, 3, 1, 1},
        {1, 56, 64, 64, 3, 1, 1},   {1, 14, 256, 256, 3, 1, 1}, {1, 7, 512, 512, 3, 1, 1}, {1, 14, 256, 512, 1, 1, 1},
        {1, 224, 3, 64, 7, 2, 1},   {8, 32, 16, 16, 3, 1, 1},   {1, 8, 8, 16, 3, 1, 1},    {1, 1, 256, 64, 1, 1, 1},
        {1, 28, 128, 128, 3, 2, 1}, {1, 56, 128, 128, 3, 1, 128}, {8, 14, 96, 96, 5, 1, 96}, {4, 28, 64, 64, 3, 1, 4},
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) bench(&layers[i]);
}
