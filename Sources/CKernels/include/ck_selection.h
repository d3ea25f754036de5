/* Which elements: the largest, those that are not zero, the boxes that no better box covers. Plain loops that are mostly
 * comparisons; one variant for every instruction set.
 *
 * NaN counts as larger than any number, and equal elements keep their order. */
#ifndef CK_SELECTION_H
#define CK_SELECTION_H

#include "ck.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t outer, length, inner; /* x[outer][length][inner]; the rows lie along `length` */
    int64_t k;                    /* at most length */
    int32_t smallest;
} ck_top_k_params;

/* operands: x, values[outer][k][inner], indices (i64, the same shape), workspace of ck_top_k_workspace bytes.
 * Unit: one row. f32, f64, i8 … i64, u8, u16. */
ck_task ck_top_k(ck_dtype dtype);
size_t ck_top_k_workspace(const ck_top_k_params *params, int lanes);

typedef struct {
    int32_t rank;
    int64_t size[CK_MAX_RANK];
} ck_non_zero_params;

/* operands: x, indices[count of x][rank] of i64, after the first n all 0, n (i64). One unit. */
ck_task ck_non_zero(ck_dtype dtype);

/* Greedy suppression, a batch entry and a class at a time: of the boxes whose score is above the threshold the best is
 * taken, then the best of those whose intersection over union with every taken one is at most the threshold, … */
typedef struct {
    int64_t batch, classes, boxes, maximum_per_class;
    float iou_threshold, score_threshold;
    int32_t has_score_threshold;
    int32_t is_centered; /* [x center, y center, width, height], else two corners [y1, x1, y2, x2] in any order */
} ck_nms_params;

/* operands: boxes[batch][boxes][4], scores[batch][classes][boxes], selected (i64 [.][3]: batch, class, box), after
 * the first n all 0, n (i64), workspace of 4·boxes bytes. f32. One unit. */
ck_task ck_nms(ck_dtype dtype);

#ifdef __cplusplus
}
#endif
#endif
