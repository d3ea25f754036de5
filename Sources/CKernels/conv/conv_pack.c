/* Plain weights [kernel_h · kernel_w][in_c / groups][out_c] to panels and back, by element size. */
#include <string.h>

#include "../vector/compact.h"
#include "ck_conv.h"
#include "conv_view.h"

/* One row of a forward panel is a run of plain output channels. */
static void move_rows(const ck_conv_params *p, int unpack, size_t size, void *const *operands, size_t begin,
                      size_t end) {
    conv_view v = conv_view_of(p, 0);
    size_t in_group = conv_ceil(v.columns, CK_PANEL), rows = v.taps * v.depth, row_bytes = (size_t)p->out_c * size;
    for (size_t panel = begin; panel < end; panel++) {
        size_t column = panel % in_group * CK_PANEL, used = conv_min(CK_PANEL, v.columns - column) * size;
        size_t plain = (panel / in_group * v.columns + column) * size, packed = panel * rows * CK_PANEL * size;
        for (size_t row = 0; row < rows; row++, plain += row_bytes, packed += CK_PANEL * size) {
            if (unpack) {
                memcpy((char *)operands[1] + plain, (const char *)operands[0] + packed, used);
            } else {
                char *to = (char *)operands[1] + packed;
                memcpy(to, (const char *)operands[0] + plain, used);
                memset(to + used, 0, CK_PANEL * size - used);
            }
        }
    }
}

/* One column of a transposed panel is a run of plain output channels for every tap. */
#define DEFINE_TRANSPOSE(E)                                                                                     \
    static void transpose_##E(const ck_conv_params *p, void *const *operands, size_t begin, size_t end) {       \
        conv_view v = conv_view_of(p, 1);                                                                       \
        size_t in_group = conv_ceil(v.columns, CK_PANEL);                                                       \
        for (size_t panel = begin; panel < end; panel++)                                                        \
            for (size_t tap = 0; tap < v.taps; tap++)                                                           \
                for (size_t lane = 0; lane < CK_PANEL; lane++) {                                                \
                    size_t column = panel % in_group * CK_PANEL + lane, used = column < v.columns;              \
                    size_t plain = (tap * v.columns + column) * (size_t)p->out_c + panel / in_group * v.depth;  \
                    const E *from = (const E *)operands[0] + (used ? plain : 0);                                \
                    E *to = (E *)operands[1] + (panel * v.taps + tap) * v.depth * CK_PANEL + lane;              \
                    for (size_t c = 0; c < v.depth; c++) to[c * CK_PANEL] = used ? from[c] : 0;                 \
                }                                                                                               \
    }
DEFINE_TRANSPOSE(uint16_t)
DEFINE_TRANSPOSE(uint32_t)
DEFINE_TRANSPOSE(uint64_t)

#define DEFINE_TASKS(E)                                                                                         \
    static void pack_##E(const void *p, void *const *o, size_t begin, size_t end, unsigned lane) {              \
        (void)lane;                                                                                             \
        move_rows(p, 0, sizeof(E), o, begin, end);                                                              \
    }                                                                                                           \
    static void unpack_##E(const void *p, void *const *o, size_t begin, size_t end, unsigned lane) {            \
        (void)lane;                                                                                             \
        move_rows(p, 1, sizeof(E), o, begin, end);                                                              \
    }                                                                                                           \
    static void pack_transposed_##E(const void *p, void *const *o, size_t begin, size_t end, unsigned lane) {   \
        (void)lane;                                                                                             \
        transpose_##E(p, o, begin, end);                                                                        \
    }
DEFINE_TASKS(uint16_t)
DEFINE_TASKS(uint32_t)
DEFINE_TASKS(uint64_t)

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

#include "../vector/end.h"
