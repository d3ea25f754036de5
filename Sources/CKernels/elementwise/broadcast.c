/* Broadcast shapes as strides, and the walk over the innermost runs of a range of output elements. */
#include "elementwise_variants.h"

#define OPERANDS 3

/* Drops axes of 1 and joins neighbours that every operand steps through evenly. */
static void merge_axes(int32_t *rank, int64_t *size, int64_t *const *stride, int operands) {
    int32_t kept = 0;
    for (int32_t d = 0; d < *rank; d++) {
        if (size[d] == 1) continue;
        int merges = kept > 0;
        for (int o = 0; o < operands && merges; o++) merges = stride[o][kept - 1] == stride[o][d] * size[d];
        const int64_t joined = merges ? size[kept - 1] * size[d] : size[d];
        if (!merges) kept++;
        size[kept - 1] = joined;
        for (int o = 0; o < operands; o++) stride[o][kept - 1] = stride[o][d];
    }
    *rank = kept;
}

static void broadcast(int32_t *rank, int64_t *size, int64_t *const *stride, const int64_t *const *sizes, int operands) {
    int64_t step[OPERANDS] = {1, 1, 1};
    for (int32_t d = *rank - 1; d >= 0; d--) {
        size[d] = 1;
        for (int o = 0; o < operands; o++) {
            if (sizes[o][d] != 1) size[d] = sizes[o][d];
            stride[o][d] = sizes[o][d] == 1 ? 0 : step[o];
            step[o] *= sizes[o][d];
        }
    }
    merge_axes(rank, size, stride, operands);
}

ck_binary_params ck_binary_broadcast(int32_t rank, const int64_t *a_sizes, const int64_t *b_sizes) {
    ck_binary_params p = {.rank = rank};
    broadcast(&p.rank, p.size, (int64_t *[]){p.a_stride, p.b_stride}, (const int64_t *[]){a_sizes, b_sizes}, 2);
    return p;
}

ck_where_params ck_where_broadcast(int32_t rank, const int64_t *condition_sizes, const int64_t *a_sizes,
                                   const int64_t *b_sizes) {
    ck_where_params p = {.rank = rank};
    broadcast(&p.rank, p.size, (int64_t *[]){p.condition_stride, p.a_stride, p.b_stride},
              (const int64_t *[]){condition_sizes, a_sizes, b_sizes}, 3);
    return p;
}

static int64_t element_count(int32_t rank, const int64_t *size) {
    int64_t count = 1;
    for (int32_t d = 0; d < rank; d++) count *= size[d];
    return count;
}
size_t ck_binary_units(const ck_binary_params *p) { return ck_block_count(element_count(p->rank, p->size)); }
size_t ck_where_units(const ck_where_params *p) { return ck_block_count(element_count(p->rank, p->size)); }

/* A place in the output: its coordinates and, for each operand, the offset of its element. */
typedef struct {
    int32_t rank;
    const int64_t *size, *const *stride;
    int operands;
    size_t at, stop;
    int64_t index[CK_MAX_RANK], offset[OPERANDS];
} cursor;

static void cursor_start(cursor *c, size_t begin, size_t end) {
    c->stop = ck_block_stop(end, element_count(c->rank, c->size));
    c->at = begin * CK_BLOCK;
    size_t rest = c->at;
    for (int32_t d = c->rank - 1; d >= 0 && c->at < c->stop; d--) {
        c->index[d] = (int64_t)(rest % (size_t)c->size[d]);
        rest /= (size_t)c->size[d];
        for (int o = 0; o < c->operands; o++) c->offset[o] += c->index[d] * c->stride[o][d];
    }
}

/* The elements from here to the end of the innermost axis or of the range. */
static size_t cursor_run(const cursor *c) {
    size_t left = c->stop - c->at, inner = 1;
    if (c->rank > 0) inner = (size_t)(c->size[c->rank - 1] - c->index[c->rank - 1]);
    return left < inner ? left : inner;
}

static void cursor_advance(cursor *c, size_t run) {
    c->at += run;
    int64_t step = (int64_t)run;
    for (int32_t d = c->rank - 1; d >= 0; d--, step = 1) {
        c->index[d] += step;
        int wraps = c->index[d] == c->size[d] && d > 0;
        for (int o = 0; o < c->operands; o++)
            c->offset[o] += c->stride[o][d] * (wraps ? step - c->size[d] : step);
        if (!wraps) return;
        c->index[d] = 0;
    }
}

static int64_t inner_stride(const cursor *c, int operand) { return c->rank > 0 ? c->stride[operand][c->rank - 1] : 0; }

void ck_binary_walk(const ck_binary_params *p, void *const *operands, size_t begin, size_t end, size_t in_size,
                    size_t out_size, ck_binary_row row) {
    const int64_t *strides[] = {p->a_stride, p->b_stride};
    cursor c = {.rank = p->rank, .size = p->size, .stride = strides, .operands = 2};
    const char *a = operands[0], *b = operands[1];
    char *y = operands[2];
    for (cursor_start(&c, begin, end); c.at < c.stop;) {
        size_t run = cursor_run(&c);
        row(y + c.at * out_size, a + c.offset[0] * (int64_t)in_size, inner_stride(&c, 0),
            b + c.offset[1] * (int64_t)in_size, inner_stride(&c, 1), run);
        cursor_advance(&c, run);
    }
}

void ck_where_walk(const ck_where_params *p, void *const *operands, size_t begin, size_t end, size_t size,
                   ck_where_row row) {
    const int64_t *strides[] = {p->condition_stride, p->a_stride, p->b_stride};
    cursor c = {.rank = p->rank, .size = p->size, .stride = strides, .operands = 3};
    const uint8_t *condition = operands[0];
    const char *a = operands[1], *b = operands[2];
    char *y = operands[3];
    for (cursor_start(&c, begin, end); c.at < c.stop;) {
        size_t run = cursor_run(&c);
        row(y + c.at * size, condition + c.offset[0], inner_stride(&c, 0), a + c.offset[1] * (int64_t)size,
            inner_stride(&c, 1), b + c.offset[2] * (int64_t)size, inner_stride(&c, 2), run);
        cursor_advance(&c, run);
    }
}
