"""Scaled dot-product attention in heads."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from .registry import operator


def heads(x: np.ndarray, count: int) -> np.ndarray:
    """[N, T, count·D] as [N, count, T, D]."""
    return np.swapaxes(x.reshape(x.shape[0], x.shape[1], count, x.shape[2] // count), 1, 2)


@operator
def attention(a: Any, q: np.ndarray, k: np.ndarray, v: np.ndarray, mask: Optional[np.ndarray] = None):
    queries, keys, group = q.shape[1], k.shape[1], a.heads // a.key_value_heads
    q = heads(q, a.heads)
    k, v = (np.repeat(heads(x, a.key_value_heads), group, axis=1) for x in (k, v))
    scores = a.scale * (q @ np.swapaxes(k, 2, 3))
    if mask is not None:
        scores = scores + mask
    if a.causal:
        scores = np.where(np.arange(keys) <= np.arange(queries)[:, None] + keys - queries, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    y = weights / weights.sum(axis=-1, keepdims=True) @ v
    return [np.swapaxes(y, 1, 2).reshape(y.shape[0], queries, y.shape[1] * y.shape[3])]
