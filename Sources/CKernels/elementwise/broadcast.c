/* Broadcast shapes as strides, and the walk over the innermost runs of a range of output elements. */
#include <string.h>

#include "elementwise_variants.h"

#define OPERANDS 3
#define REPEATED 4096 /* bytes of a short row written over and over, for runs of several rows */

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

/* Past `run` elements, which are `step` along axis d. */
static void cursor_advance(cursor *c, size_t run, int32_t d, int64_t step) {
    c->at += run;
    for (; d >= 0; d--, step = 1) {
        c->index[d] += step;
        int wraps = c->index[d] == c->size[d] && d > 0;
        for (int o = 0; o < c->operands; o++)
            c->offset[o] += c->stride[o][d] * (wraps ? step - c->size[d] : step);
        if (!wraps) return;
        c->index[d] = 0;
    }
}

static int64_t inner_stride(const cursor *c, int operand) { return c->rank > 0 ? c->stride[operand][c->rank - 1] : 0; }

/* Which of two operands has the same row all along the last axis but one, while the other goes on; or −1. */
static int repeating_operand(const cursor *c) {
    const int32_t d = c->rank - 1;
    for (int o = 0; o < 2 && d > 0; o++) {
        const int64_t *own = c->stride[o], *other = c->stride[1 - o];
        if (own[d] == 1 && own[d - 1] == 0 && other[d] == 1 && other[d - 1] == c->size[d]) return o;
    }
    return -1;
}

void ck_binary_walk(const ck_binary_params *p, void *const *operands, size_t begin, size_t end, size_t in_size,
                    size_t out_size, ck_binary_row row) {
    const int64_t *strides[] = {p->a_stride, p->b_stride};
    cursor c = {.rank = p->rank, .size = p->size, .stride = strides, .operands = 2};
    char *y = operands[2], repeated[REPEATED];
    const char *held = NULL; /* the row that is repeated */
    const int repeating = repeating_operand(&c);
    size_t copies = 0, length = 0;
    if (repeating >= 0) {
        length = (size_t)c.size[c.rank - 1];
        copies = REPEATED / (length * in_size);
        if (copies > (size_t)c.size[c.rank - 2]) copies = (size_t)c.size[c.rank - 2];
    }
    for (cursor_start(&c, begin, end); c.at < c.stop;) {
        const char *from[2];
        for (int o = 0; o < 2; o++) from[o] = (const char *)operands[o] + c.offset[o] * (int64_t)in_size;
        int32_t axis = c.rank - 1;
        size_t run = cursor_run(&c), step = run;
        if (copies > 3 && run == length) {
            axis--;
            const size_t rows = (size_t)(c.size[axis] - c.index[axis]), whole = (c.stop - c.at) / length;
            step = rows < whole ? rows : whole;
            if (step > copies) step = copies;
            run = step * length;
            for (size_t i = 0; held != from[repeating] && i < copies; i++)
                memcpy(repeated + i * length * in_size, from[repeating], length * in_size);
            held = from[repeating];
            from[repeating] = repeated;
        }
        row(y + c.at * out_size, from[0], inner_stride(&c, 0), from[1], inner_stride(&c, 1), run);
        cursor_advance(&c, run, axis, (int64_t)step);
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
        cursor_advance(&c, run, c.rank - 1, (int64_t)run);
    }
}
