#include "ck_selection.h"
#include "order.h"

typedef struct {
    float top, left, bottom, right, area;
} box;

static box box_of(const float *v, int is_centered) {
    box b;
    if (is_centered) {
        b = (box){v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2, 0};
    } else {
        b.top = v[0] < v[2] ? v[0] : v[2];
        b.bottom = v[0] < v[2] ? v[2] : v[0];
        b.left = v[1] < v[3] ? v[1] : v[3];
        b.right = v[1] < v[3] ? v[3] : v[1];
    }
    b.area = (b.bottom - b.top) * (b.right - b.left);
    return b;
}

static int overlaps(box a, box b, float threshold) {
    float height = (a.bottom < b.bottom ? a.bottom : b.bottom) - (a.top > b.top ? a.top : b.top);
    float width = (a.right < b.right ? a.right : b.right) - (a.left > b.left ? a.left : b.left);
    if (!(height > 0) || !(width > 0)) return 0;
    float shared = height * width, all = a.area + b.area - shared;
    return all > 0 && shared / all > threshold;
}

static void nms_f32(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    (void)lane;
    const ck_nms_params *p = params;
    int64_t *selected = operands[2], found = 0;
    int32_t *order = operands[4];
    if (begin == end) return;
    const int64_t batches = p->classes && p->boxes ? p->batch : 0; /* of nothing there may be 2³¹ */
    for (int64_t batch = 0; batch < batches; batch++) {
        const float *boxes = (const float *)operands[0] + batch * p->boxes * 4;
        for (int64_t class = 0; class < p->classes; class++) {
            const float *scores = (const float *)operands[1] + (batch * p->classes + class) * p->boxes;
            int64_t candidates = 0, first = found;
            for (int64_t i = 0; i < p->boxes; i++)
                if (!p->has_score_threshold || scores[i] > p->score_threshold) order[candidates++] = (int32_t)i;
            const ck_row row = {(const char *)scores, 1, CK_F32, 0};
            heap_make(&row, order, candidates);
            heap_sort(&row, order, candidates);
            for (int64_t i = 0; i < candidates && found - first < p->maximum_per_class; i++) {
                box candidate = box_of(boxes + 4 * (int64_t)order[i], p->is_centered);
                int is_covered = 0;
                for (int64_t s = first; s < found && !is_covered; s++)
                    is_covered = overlaps(candidate, box_of(boxes + 4 * selected[3 * s + 2], p->is_centered), p->iou_threshold);
                if (is_covered) continue;
                int64_t *to = selected + 3 * found++;
                to[0] = batch, to[1] = class, to[2] = order[i];
            }
        }
    }
    int64_t room = p->batch * p->classes * p->maximum_per_class;
    memset(selected + 3 * found, 0, (size_t)(3 * (room - found)) * sizeof(int64_t));
    *(int64_t *)operands[3] = found;
}

ck_task ck_nms(ck_dtype dtype) { return dtype == CK_F32 ? nms_f32 : NULL; }
