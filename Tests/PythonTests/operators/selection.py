"""Which elements: the largest, those that are not zero, the boxes that no better box covers."""

from __future__ import annotations

import numpy as np

from .registry import operator


def order(row: np.ndarray, smallest: bool) -> np.ndarray:
    """Positions from first to last; of equal elements the first comes first, NaN is larger than any number."""
    rank = np.unique(np.where(row == 0, 0, row), return_inverse=True)[1]
    return np.argsort(rank if smallest else -rank, kind="stable")


@operator
def top_k(a, x):
    axis = a.axis + x.ndim if a.axis < 0 else a.axis
    k = min(a.k, x.shape[axis])
    rows = np.moveaxis(x, axis, -1)
    chosen = np.zeros((*rows.shape[:-1], k), np.int64)
    for place in np.ndindex(rows.shape[:-1]):
        chosen[place] = order(rows[place], a.smallest)[:k]
    values = np.take_along_axis(rows, chosen, -1)
    return np.moveaxis(values, -1, axis), np.moveaxis(chosen, -1, axis)


@operator
def non_zero(a, x):
    found = np.argwhere(x != 0)
    indices = np.zeros((x.size, x.ndim), np.int64)
    indices[: len(found)] = found
    return indices, np.array(len(found), np.int64)


def corners(box: np.ndarray, is_centered: bool) -> tuple[float, float, float, float]:
    a, b, c, d = box
    if is_centered:
        return b - d / 2, a - c / 2, b + d / 2, a + c / 2
    return min(a, c), min(b, d), max(a, c), max(b, d)


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    if shared == 0:
        return 0.0
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


@operator
def non_max_suppression(a, boxes, scores):
    selected: list[tuple[int, int, int]] = []
    for batch, label in np.ndindex(scores.shape[:2]):
        row, taken = scores[batch, label], []
        for i in order(row, False):
            if len(taken) == a.maximum_per_class:
                break
            if a.has_score_threshold and not row[i] > a.score_threshold:
                continue
            box = corners(boxes[batch, i], a.is_centered)
            if all(overlap(corners(boxes[batch, j], a.is_centered), box) <= a.iou_threshold for j in taken):
                taken.append(int(i))
        selected += [(batch, label, i) for i in taken]
    room = scores.shape[0] * scores.shape[1] * min(a.maximum_per_class, scores.shape[2])
    indices = np.zeros((room, 3), np.int64)
    indices[: len(selected)] = np.array(selected, np.int64).reshape(-1, 3)
    return indices, np.array(len(selected), np.int64)


@operator
def trim(a, x, count):
    return x[: int(count)]
