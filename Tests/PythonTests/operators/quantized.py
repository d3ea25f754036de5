"""Integer inference, after Docs/Quantization.md: bit for bit, float32 where it says binary32."""

from __future__ import annotations

import numpy as np

from .elementwise import activate
from .image import Window, grouped, pool_divisor, pool_window
from .registry import coded, convert, operator
from .values import rows

F32, F64 = np.float32, np.float64


def quantize_to(v: np.ndarray, zero: int, low: int = -128, high: int = 127) -> np.ndarray:
    """The codes of numbers in units of the scale (section 1)."""
    low, high = F32(low - zero), F32(high - zero)
    v = np.where(v > low, v, low)
    return (np.rint(np.where(v < high, v, high)).astype(np.int32) + zero).astype(np.int8)


def bounded(v: np.ndarray, y: tuple[float, int], bounds) -> np.ndarray:
    return quantize_to(v, y[1], bounds.minimum, bounds.maximum)


def centred(x: np.ndarray, codes: tuple[float, int]) -> np.ndarray:
    return x.astype(np.int64) - codes[1]


def finish(sums: np.ndarray, codes, y, bounds, c, m, *residual):
    """Section 4, from the sums of products on."""
    acc = (sums + c).astype(np.int64).astype(np.uint64).astype(np.uint32).view(np.int32)
    v = acc.astype(F32) * m
    if y is None:
        return v
    if residual:
        v = v + centred(residual[0], codes[4]).astype(F32) * (F32(codes[4][0]) / F32(y[0]))
    return bounded(v, y, bounds)


@coded
def quantize(a, codes, y, x):
    return quantize_to(x / F32(y[0]), y[1])


@coded
def dequantize(a, codes, y, x):
    return F32(codes[0][0]) * centred(x, codes[0]).astype(F32)


@coded
def quantized_dense(a, codes, y, x, w, *rest):
    return finish((x.astype(np.int64) + 128) @ w.astype(np.int64), codes, y, a.bounds, *rest)


@coded
def quantized_conv2d(a, codes, y, x, w, *rest):
    g = a.convolution
    window, w = Window(g, w.shape[:2], x.shape[1:3]), w.astype(np.int64)
    sums = 0
    for ky, kx, tap in window.taps(window.pad(x, codes[0][1]).astype(np.int64) + 128):
        sums = sums + np.einsum("nhwgc,cgo->nhwgo", grouped(tap, g.groups), grouped(w[ky, kx], g.groups))
    return finish(sums.reshape(*sums.shape[:3], -1), codes, y, a.bounds, *rest)


@coded
def lookup(a, codes, y, x, table):
    return table[x.astype(np.int64) + 128]


@coded
def quantized_add(a, codes, y, p, q):
    terms = [centred(x, c).astype(F32) * (F32(c[0]) / F32(y[0])) for x, c in zip((p, q), codes)]
    return bounded(terms[0] + terms[1], y, a)


@coded
def quantized_mul(a, codes, y, p, q):
    m = F32(F64(codes[0][0]) * F64(codes[1][0]) / F64(y[0]))
    return bounded((centred(p, codes[0]) * centred(q, codes[1])).astype(F32) * m, y, a)


@coded
def quantized_avg_pool(a, codes, y, x):
    x = centred(x, codes[0])
    if a.kernel_height == 0:
        sums, count = x.sum(axis=(1, 2), keepdims=True), F64(x.shape[1] * x.shape[2])
    else:
        window = pool_window(a, x)
        sums, count = sum(tap for *_, tap in window.taps(window.pad(x, 0))), pool_divisor(a, x)
    return quantize_to(sums.astype(F32) * (F64(codes[0][0]) / (F64(y[0]) * count)).astype(F32), y[1])


@coded
def quantized_softmax(a, codes, y, x, table):
    e = table[x.max(axis=-1, keepdims=True).astype(np.int64) - x]
    return quantize_to(e.astype(F32) * (F32(256) / e.sum(axis=-1, keepdims=True, dtype=np.int64).astype(F32)), -128)


def fma(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """a·b + c, rounded once: extended precision holds the product, and nearly the sum."""
    return (a.astype(np.longdouble) * b + c).astype(F32)


@coded
def weight_only_dense(a, codes, y, x, w, scales, *rest):
    rest, w, k = list(rest), w.astype(np.int64), w.shape[0]
    zeros = rest.pop(0) if a.has_zero_points else None
    size = a.block_size or k
    result = np.zeros((*x.shape[:-1], w.shape[1]), F32)
    if a.dynamic_activations:
        x, row_scales = row_codes(x)
    for block, first in enumerate(range(0, k, size)):
        total = np.zeros_like(result)
        for row in range(first, min(k, first + size)):
            weight = w[row] - zeros[block] if a.has_zero_points else w[row]
            total = fma(x[..., row, None], weight.astype(F32), total)  # of codes: exact
        result = fma(total, scales[block].astype(F32), result)
    return finished(a, result * row_scales if a.dynamic_activations else result, rest)


@coded
def weight_only_gather(a, codes, y, w, scales, indices):
    index, exists = rows(indices, w.shape[0])
    wide = np.repeat(scales.astype(F32), a.block_size or w.shape[1], axis=1)[:, : w.shape[1]]
    return np.where(exists[..., None], w[index].astype(F32) * wide[index], F32(0))


def row_codes(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes of each row by its greatest magnitude, and the rows' scales."""
    most = np.max(np.where(np.isnan(x), 0, np.abs(x)), axis=-1, keepdims=True, initial=0).astype(F32)
    t = np.where(most < F32(2.0**-100), F32(0), F32(127) / most)
    return quantize_to(x * t, 0, -127, 127).astype(np.int64), most / F32(127)


@coded
def dynamic_dense(a, codes, y, x, w, c, scales, *rest):
    q, row_scales = row_codes(x)
    acc = ((q + 128) @ w.astype(np.int64) + c).astype(np.int32)
    v = acc.astype(F32) * row_scales * scales
    return finished(a, v, rest)


def finished(a, v, rest):
    """act(v + bias + residual), of which `rest` holds those there are."""
    for term in rest:
        v = v + term
    return convert(activate(a.activation, v.astype(F64)), np.dtype("<f4"))


# ---- Section 10: in training, on float32 ---------------------------------------------------------------------------


def range_codes(ends: np.ndarray) -> tuple[np.float32, np.float32, np.float32]:
    """The scale of a range, and the bounds of x / scale."""
    low, high = min(F64(ends[0]), 0.0), max(F64(ends[1]), 0.0)
    scale = F32(max((high - low) / 255, 1e-30))
    zero = np.clip(np.rint(-128 - low / F64(scale)), -128, 127)
    return scale, F32(-128 - zero), F32(127 - zero)


@operator
def fake_quantize(a, x, ends):
    scale, low, high = range_codes(ends)
    v = x.astype(F32) / scale
    v = np.where(v > low, v, low)
    return scale * np.rint(np.where(v < high, v, high))


@operator
def fake_quantize_gradient(a, x, ends, dy):
    scale, low, high = range_codes(ends)
    v = x.astype(F32) / scale
    inside = (v >= low) & (v <= high)
    dx = np.where(inside, dy, 0.0)
    if a.range_gradient_scale == 0:
        return dx
    inner = np.where(inside, (np.rint(v) - v) * dy, 0.0).sum() / 255
    below, above = dy[v < low].sum() - inner, dy[v > high].sum() + inner
    return dx, a.range_gradient_scale * np.array([below, above])


@operator
def fake_quantize_weights(a, w):
    most = np.abs(w).max(axis=tuple(range(w.ndim - 1))) / 127
    scale = np.where(most > 0, most.astype(F32).astype(F64), 1.0)
    return scale * np.clip(np.rint(w / scale), -127, 127)


@operator
def observe_range(a, x, ends):
    batch = np.array([min(0.0, x.min()), max(0.0, x.max())])
    return batch if not ends.any() else ends + (1 - F64(F32(a.momentum))) * (batch - ends)
