"""Scaled dot-product attention in heads, and its gradient."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from .registry import operator


def heads(x: np.ndarray, count: int) -> np.ndarray:
    """[N, T, count·D] as [N, count, T, D]."""
    return np.swapaxes(x.reshape(x.shape[0], x.shape[1], count, x.shape[2] // count), 1, 2)


def merged(x: np.ndarray) -> np.ndarray:
    """[N, count, T, D] as [N, T, count·D]."""
    return np.swapaxes(x, 1, 2).reshape(x.shape[0], x.shape[2], x.shape[1] * x.shape[3])


def weights(a: Any, q: np.ndarray, k: np.ndarray, mask: Optional[np.ndarray]) -> np.ndarray:
    """What each query of [N, H, T, D] takes of each key."""
    queries, keys = q.shape[2], k.shape[2]
    scores = a.scale * (q @ np.swapaxes(k, 2, 3))
    if mask is not None:
        scores = scores + mask
    if a.causal:
        scores = np.where(np.arange(keys) <= np.arange(queries)[:, None] + keys - queries, scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def repeated(a: Any, x: np.ndarray) -> np.ndarray:
    """Keys or values, those of each head of queries."""
    return np.repeat(heads(x, a.key_value_heads), a.heads // a.key_value_heads, axis=1)


@operator
def attention(a: Any, q: np.ndarray, k: np.ndarray, v: np.ndarray, mask: Optional[np.ndarray] = None):
    return [merged(weights(a, heads(q, a.heads), repeated(a, k), mask) @ repeated(a, v))]


@operator
def attention_gradient(a: Any, q: np.ndarray, k: np.ndarray, v: np.ndarray, *mask_and_dy: np.ndarray):
    mask, dy = (None, *mask_and_dy)[-2:]
    q, k, v, dy = heads(q, a.heads), repeated(a, k), repeated(a, v), heads(dy, a.heads)
    p = weights(a, q, k, mask)
    c = dy @ np.swapaxes(v, 2, 3)
    d = a.scale * p * (c - (p * c).sum(axis=-1, keepdims=True))

    def shared(x: np.ndarray) -> np.ndarray:
        """Summed over the heads that share one."""
        return x.reshape(x.shape[0], a.key_value_heads, -1, *x.shape[2:]).sum(axis=2)

    return merged(d @ k), merged(shared(np.swapaxes(d, 2, 3) @ q)), merged(shared(np.swapaxes(p, 2, 3) @ dy))


def codes(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[N, G, D] as integers within ±127, and the scale of each row."""
    scale = np.abs(x).max(axis=-1) / np.float32(127) + (x - x).sum(axis=-1)
    by = scale[..., None]
    return np.where(by > 0, np.rint(np.clip(x / np.where(by > 0, by, 1), -127, 127)), 0), scale


@operator
def cached_attention(
    a: Any, q: np.ndarray, k: np.ndarray, v: np.ndarray, keys: np.ndarray, values: np.ndarray, position: np.ndarray,
    *scales: np.ndarray,
):
    keys, values, room = keys.copy(), values.copy(), values.shape[3]
    scales = [x.copy() for x in scales]
    k, v = (heads(x, a.key_value_heads) for x in (k, v))
    causal = type("", (), {"heads": a.heads, "key_value_heads": a.key_value_heads, "scale": a.scale, "causal": False})
    rows = []
    for t in range(q.shape[1]):
        element = max(0, int(position)) + t
        slot = element % room
        key, value = k[:, :, t], v[:, :, t]
        if a.has_scales:
            (key, scales[0][:, :, slot]), (value, scales[1][:, :, slot]) = codes(key), codes(value)
        keys[:, :, slot // 16, :, slot % 16] = key
        for e in range(v.shape[3]):
            values[:, :, e // 16, slot, e % 16] = value[:, :, e]
        seen = min(element + 1, room)
        # [N, slots, G·size], as attention takes them
        old_k = np.moveaxis(keys, 4, 3).reshape(keys.shape[0], keys.shape[1], -1, keys.shape[3])[:, :, :seen]
        old_v = np.moveaxis(values, 2, 3).reshape(values.shape[0], values.shape[1], room, -1)[:, :, :seen, : v.shape[3]]
        if a.has_scales:
            old_k, old_v = (x * scale[:, :, :seen, None] for x, scale in zip((old_k, old_v), scales))
        flat = [np.swapaxes(x, 1, 2).reshape(x.shape[0], seen, -1).astype(np.float32) for x in (old_k, old_v)]
        rows.append(attention(causal, q[:, t : t + 1], *flat)[0])
    return [np.concatenate(rows, axis=1), keys, values, *scales]
