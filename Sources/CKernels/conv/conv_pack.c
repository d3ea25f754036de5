/* Plain weights [kernel_h · kernel_w][in_c / groups][out_c] to panels and back, by element size. */
#include "ck_conv.h"

#include "conv_view.h"

enum { FORWARD, TRANSPOSED, UNPACK };

#define DEFINE_PACK(E)                                                                                         \
    static void move_##E(const ck_conv_params *p, int mode, void *const *operands, size_t begin, size_t end) { \
        conv_view v = conv_view_of(p, mode == TRANSPOSED);                                                     \
        const E *from = operands[0];                                                                           \
        E *to = operands[1];                                                                                   \
        size_t in_group = conv_ceil(v.columns, CK_PANEL), rows = v.taps * v.depth;                             \
        size_t plain_depth = (size_t)(p->in_c / p->groups), out_c = (size_t)p->out_c;                          \
        for (size_t panel = begin; panel < end; panel++)                                                       \
            for (size_t row = 0; row < rows; row++)                                                            \
                for (size_t lane = 0; lane < CK_PANEL; lane++) {                                               \
                    size_t group = panel / in_group, column = panel % in_group * CK_PANEL + lane;              \
                    size_t tap = row / v.depth, c = row % v.depth, packed = (panel * rows + row) * CK_PANEL + lane; \
                    size_t plain = mode == TRANSPOSED                                                          \
                        ? (tap * plain_depth + column) * out_c + group * v.depth + c                           \
                        : (tap * plain_depth + c) * out_c + group * v.columns + column;                        \
                    if (mode == UNPACK) {                                                                      \
                        if (column < v.columns) to[plain] = from[packed];                                      \
                    } else {                                                                                   \
                        to[packed] = column < v.columns ? from[plain] : 0;                                     \
                    }                                                                                          \
                }                                                                                              \
    }                                                                                                          \
    static void pack_##E(const void *p, void *const *o, size_t b, size_t e, unsigned lane) {                   \
        (void)lane;                                                                                            \
        move_##E(p, FORWARD, o, b, e);                                                                         \
    }                                                                                                          \
    static void unpack_##E(const void *p, void *const *o, size_t b, size_t e, unsigned lane) {                 \
        (void)lane;                                                                                            \
        move_##E(p, UNPACK, o, b, e);                                                                          \
    }                                                                                                          \
    static void pack_transposed_##E(const void *p, void *const *o, size_t b, size_t e, unsigned lane) {        \
        (void)lane;                                                                                            \
        move_##E(p, TRANSPOSED, o, b, e);                                                                      \
    }

DEFINE_PACK(uint16_t)
DEFINE_PACK(uint32_t)
DEFINE_PACK(uint64_t)

static ck_task by_size(ck_dtype dtype, ck_task two, ck_task four, ck_task eight) {
    switch (dtype) {
    case CK_F16: case CK_BF16: case CK_I16: case CK_U16: return two;
    case CK_F32: case CK_I32: return four;
    case CK_F64: case CK_I64: return eight;
    default: return NULL;
    }
}

ck_task ck_conv_pack(ck_dtype dtype) { return by_size(dtype, pack_uint16_t, pack_uint32_t, pack_uint64_t); }
ck_task ck_conv_unpack(ck_dtype dtype) { return by_size(dtype, unpack_uint16_t, unpack_uint32_t, unpack_uint64_t); }
ck_task ck_conv_pack_transposed(ck_dtype dtype) {
    return by_size(dtype, pack_transposed_uint16_t, pack_transposed_uint32_t, pack_transposed_uint64_t);
}

static size_t panels(const ck_conv_params *p, int32_t channels) {
    return (size_t)p->groups * conv_ceil((size_t)(channels / p->groups), CK_PANEL);
}
static size_t rows(const ck_conv_params *p, int32_t channels) {
    return (size_t)p->kernel_h * (size_t)p->kernel_w * (size_t)(channels / p->groups);
}
size_t ck_conv_panels(const ck_conv_params *p) { return panels(p, p->out_c); }
size_t ck_conv_transposed_panels(const ck_conv_params *p) { return panels(p, p->in_c); }
size_t ck_conv_panel_elements(const ck_conv_params *p) {
    return panels(p, p->out_c) * rows(p, p->in_c) * CK_PANEL;
}
size_t ck_conv_transposed_panel_elements(const ck_conv_params *p) {
    return panels(p, p->in_c) * rows(p, p->out_c) * CK_PANEL;
}
