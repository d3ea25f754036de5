/* Recurrent layers: one sequence in inference, and a training step's way forward and back, on one thread.
 *
 *   clang -O2 -ffp-contract=off -ISources/CKernels/include Benchmarks/kernels/recurrent_bench.c \
 *       $(find Sources/CKernels -name "*.c") -lm -o /tmp/recurrent_bench && /tmp/recurrent_bench [hidden time batch]
 *
 * Microseconds, the best of many rounds: the input's product, the layer's way over time, and of a batch the way back and the
 * product that gives dR. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ck_elementwise.h"
#include "ck_recurrent.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static float *filled(int64_t count, float scale) {
    float *p = aligned_alloc(64, ((size_t)count * sizeof(float) + 127) / 64 * 64);
    for (int64_t i = 0; i < count; i++) p[i] = scale * ((float)rand() / (float)RAND_MAX - 0.5f);
    return p;
}

static double best_of(ck_task task, const void *params, void **operands, size_t units) {
    double best = 1e30;
    for (int round = 0; round < 60; round++) {
        const double begin = now();
        task(params, operands, 0, units, 0);
        if (now() - begin < best) best = now() - begin;
    }
    return best;
}

static void run(const char *name, ck_cell cell, int reset_after, int64_t n, int64_t time, int64_t batch, int train) {
    const ck_isa isa = ck_isa_base(ck_isa_native());
    const int64_t gates = ck_recurrent_gates(cell), rows = time * batch, size = ck_panels_size(n, n);
    ck_gemm_params in = {.m = rows, .n = gates * n, .k = n, .a_row_stride = n, .a_k_stride = 1, .c_row_stride = gates * n, .batch = 1};
    float *a = filled(rows * n, 1), *w = filled(ck_panels_size(n, gates * n), 0.2f), *x = filled(rows * gates * n, 1);
    void *of_in[] = {a, w, x};
    const double input = best_of(ck_gemm(CK_F32, CK_F32, isa), &in, of_in, ck_gemm_units(&in));
    ck_recurrent_params p = {
        .batch = batch, .time = time, .hidden = n, .block = ck_recurrent_block(batch, train ? 2 : 1),
        .x_row_stride = time * gates * n, .x_time_stride = gates * n, .y_row_stride = time * n, .y_time_stride = n,
        .cell = cell, .reset_after = reset_after, .keeps = train, .has_dy = 1, .activation = {CK_ACT_TANH, 0, 0},
        .product = ck_gemm(CK_F32, CK_F32, isa), .slope = ck_activation_gradient(CK_ACT_TANH, CK_F32, isa),
    };
    float *r = filled(gates * size, 0.2f), *b = filled(n, 1), *y = filled(rows * n, 1), *h = filled(batch * n, 1);
    float *c = filled(batch * n, 1), *kept = filled(rows * n * ck_recurrent_kept(cell, reset_after), 1);
    float *work = filled((int64_t)ck_recurrent_workspace(&p, CK_F32, 1) + 64 * n * 32, 1);
    void *operands[9], **o = operands;
    *o++ = x, *o++ = r;
    if (reset_after) *o++ = b;
    *o++ = y, *o++ = h;
    if (cell == CK_LSTM) *o++ = c;
    if (train) *o++ = kept;
    *o++ = work;
    const double over = best_of(ck_recurrent(CK_F32, isa), &p, operands, ck_recurrent_units(&p));
    printf("%-10s hidden %lld, %lld steps, batch %-3lld input %8.1f  steps %8.1f", name, (long long)n, (long long)time, (long long)batch, input, over);
    if (train) {
        float *dy = filled(rows * n, 1), *dx = filled(rows * gates * n, 1), *before = filled(rows * n, 1), *inner = filled(rows * n, 1);
        void *back[9], **q = back;
        *q++ = y, *q++ = kept, *q++ = r, *q++ = dy, *q++ = dx, *q++ = before;
        if (cell == CK_GRU) *q++ = inner;
        *q++ = work;
        const double backwards = best_of(ck_recurrent_gradient(CK_F32, isa), &p, back, ck_recurrent_units(&p));
        float *panels = filled(gates * ck_panels_size(rows, n), 1), *dr = filled(gates * n * n, 1);
        ck_panels_params pack = {.k = rows, .n = n, .row_stride = gates * n, .column_stride = 1, .batch = gates, .batch_stride = n};
        ck_gemm_params sum = {.m = n, .n = n, .k = rows, .a_row_stride = 1, .a_k_stride = n, .c_row_stride = n, .batch = gates,
                              .b_batch_stride = ck_panels_size(rows, n), .c_batch_stride = n * n};
        void *of_pack[] = {dx, panels}, *of_sum[] = {before, panels, dr};
        const double packing = best_of(ck_pack_panels(CK_F32, CK_F32, isa), &pack, of_pack, ck_panels_units(&pack));
        printf("  back %8.1f  pack %8.1f  dR %8.1f", backwards, packing,
               best_of(ck_gemm(CK_F32, CK_F32, isa), &sum, of_sum, ck_gemm_units(&sum)));
    }
    printf("\n");
}

int main(int argc, char **argv) {
    const int64_t n = argc > 3 ? atol(argv[1]) : 64, time = argc > 3 ? atol(argv[2]) : 100, batch = argc > 3 ? atol(argv[3]) : 32;
    run("gru", CK_GRU, 0, n, time, 1, 0);
    run("gru after", CK_GRU, 1, n, time, 1, 0);
    run("lstm", CK_LSTM, 0, n, time, 1, 0);
    run("rnn", CK_RNN, 0, n, time, batch, 1);
    run("gru", CK_GRU, 0, n, time, batch, 1);
    run("gru after", CK_GRU, 1, n, time, batch, 1);
    run("lstm", CK_LSTM, 0, n, time, batch, 1);
}
