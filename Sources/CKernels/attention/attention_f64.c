/* Attention and its gradient in f64, in which gradients are checked: plain loops between the products. */
#include <math.h>
#include <string.h>

#include "attention_gradient.h"

static void row(double *s, double *d, const double *mask, float scale, int64_t count, int64_t width) {
    double most = -INFINITY, sum = 0, mean = 0;
    for (int64_t j = 0; j < count; j++) {
        s[j] = scale * s[j] + (mask ? mask[j] : 0);
        if (s[j] > most) most = s[j];
    }
    for (int64_t j = 0; j < count; j++) sum += s[j] = exp(s[j] - most);
    for (int64_t j = 0; j < count; j++) mean += (s[j] /= sum) * d[j];
    for (int64_t j = 0; j < count; j++) d[j] = scale * (s[j] * (d[j] - mean));
    for (int64_t j = count; j < width; j++) s[j] = d[j] = 0;
}

#define REAL double
#define WALK(...) static void walk(__VA_ARGS__)
#include "attention_gradient.inc"

void ck_attention_gradient_f64(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    walk(params, operands, begin, end, lane);
}

/* Element [i, j] of a matrix of `rows` rows in panels. */
static double element(const double *panels, int64_t rows, int64_t i, int64_t j) {
    return panels[(j / CK_PANEL * rows + i) * CK_PANEL + j % CK_PANEL];
}

static double score(const ck_attention_params *p, const double *query, const double *key, const double *mask, int64_t j) {
    double dot = 0;
    for (int64_t d = 0; d < p->size; d++) dot += query[d] * element(key, p->size, d, j);
    return p->scale * dot + (mask ? mask[j] : 0);
}

void ck_attention_f64(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    (void)lane;
    const ck_attention_params *p = params;
    const double *q = *operands++, *k = *operands++, *v = *operands++, *mask = p->has_mask ? *operands++ : NULL;
    double *y = *operands++;
    const int64_t units = (int64_t)ck_attention_units(p), shares = p->heads / p->group;
    const int64_t hidden = p->causal ? p->queries - p->keys : 0;
    for (int64_t unit = (int64_t)begin; unit < (int64_t)end; unit++) {
        /* As many blocks of queries a head as in f32, of nearly equal height. */
        const int64_t blocks = units / (p->batch * p->heads), block = unit % blocks;
        const int64_t n = unit / blocks / p->heads, head = unit / blocks % p->heads;
        const double *key = k + (n * shares + head / p->group) * ck_panels_size(p->size, p->keys);
        const double *value = v + (n * shares + head / p->group) * ck_panels_size(p->keys, p->value_size);
        for (int64_t i = block * p->queries / blocks; i < (block + 1) * p->queries / blocks; i++) {
            const int64_t sees = p->causal ? i + 1 - hidden : p->keys;
            const double *m = mask ? mask + n * p->mask_batch_stride + head * p->mask_head_stride + i * p->mask_query_stride : NULL;
            const double *query = q + ((n * p->queries + i) * p->heads + head) * p->size;
            double *result = y + ((n * p->queries + i) * p->heads + head) * p->value_size;
            double most = -INFINITY, sum = 0;
            for (int64_t j = 0; j < sees; j++) most = fmax(most, score(p, query, key, m, j));
            for (int64_t e = 0; e < p->value_size; e++) result[e] = 0;
            for (int64_t j = 0; j < sees; j++) {
                const double weight = exp(score(p, query, key, m, j) - most);
                sum += weight;
                for (int64_t e = 0; e < p->value_size; e++) result[e] += weight * element(value, p->keys, j, e);
            }
            for (int64_t e = 0; e < p->value_size; e++) result[e] /= sum;
        }
    }
}
