#include "ck_selection.h"
#include "order.h"

size_t ck_top_k_workspace(const ck_top_k_params *p, int lanes) { return (size_t)p->k * sizeof(int32_t) * (size_t)lanes; }

/* A heap of the k best so far: a better element takes the place of the worst. */
static void top_k(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane, ck_dtype dtype,
                  size_t size) {
    const ck_top_k_params *p = params;
    int32_t *heap = (int32_t *)operands[3] + (int64_t)lane * p->k;
    for (int64_t unit = (int64_t)begin; unit < (int64_t)end && p->k > 0; unit++) {
        int64_t outer = unit / p->inner, inner = unit % p->inner;
        const char *x = (const char *)operands[0] + (size_t)(outer * p->length * p->inner + inner) * size;
        const ck_row row = {x, p->inner, dtype, p->smallest};
        for (int64_t i = 0; i < p->k; i++) heap[i] = (int32_t)i;
        heap_make(&row, heap, p->k);
        for (int64_t i = p->k; i < p->length; i++) {
            if (!comes_first(&row, (int32_t)i, heap[0])) continue;
            heap[0] = (int32_t)i;
            heap_sift(&row, heap, p->k, 0);
        }
        heap_sort(&row, heap, p->k);
        for (int64_t i = 0; i < p->k; i++) {
            int64_t to = (outer * p->k + i) * p->inner + inner;
            memcpy((char *)operands[1] + (size_t)to * size, x + (size_t)(heap[i] * p->inner) * size, size);
            ((int64_t *)operands[2])[to] = heap[i];
        }
    }
}

#define TOP_K(NAME, DTYPE, TYPE)                                                                              \
    static void NAME(const void *p, void *const *o, size_t begin, size_t end, unsigned lane) {                \
        top_k(p, o, begin, end, lane, DTYPE, sizeof(TYPE));                                                   \
    }
TOP_K(top_k_f32, CK_F32, float)
TOP_K(top_k_f64, CK_F64, double)
TOP_K(top_k_i8, CK_I8, int8_t)
TOP_K(top_k_u8, CK_U8, uint8_t)
TOP_K(top_k_i16, CK_I16, int16_t)
TOP_K(top_k_u16, CK_U16, uint16_t)
TOP_K(top_k_i32, CK_I32, int32_t)
TOP_K(top_k_i64, CK_I64, int64_t)

ck_task ck_top_k(ck_dtype dtype) {
    switch ((int)dtype) {
    case CK_F32: return top_k_f32;
    case CK_F64: return CK_F64_TASK(top_k_f64);
    case CK_I8: return top_k_i8;
    case CK_U8: case CK_BOOL: return top_k_u8;
    case CK_I16: return top_k_i16;
    case CK_U16: return top_k_u16;
    case CK_I32: return top_k_i32;
    case CK_I64: return top_k_i64;
    default: return NULL;
    }
}
