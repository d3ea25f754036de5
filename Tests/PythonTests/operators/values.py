"""Shapes, movement of elements, reductions, and normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import operator

# ---- Movement ------------------------------------------------------------------------------------------------------


@operator
def flatten(a, x):
    axis = a.axis + x.ndim if a.axis < 0 else a.axis
    rows = int(np.prod(x.shape[:axis], dtype=np.int64))
    return x.reshape(rows, int(np.prod(x.shape[axis:], dtype=np.int64)))


@operator
def reshape(a, x):
    return x.reshape([x.shape[i] if extent == 0 else extent for i, extent in enumerate(a.shape)])


@operator
def transpose(a, x):
    return x.transpose(a.permutation)


@operator
def concat(a, *x):
    return np.concatenate(x, axis=a.axis)


@operator
def split(a, x):
    return np.split(x, np.cumsum(a.sizes[:-1]), axis=a.axis)


def slice_index(a: Any, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """The positions that a slice takes along each axis, for indexing."""
    positions = [np.arange(extent) for extent in shape]
    for i, axis in enumerate(a.axes):
        start, end, step, length = a.starts[i], a.ends[i], a.steps[i] if a.steps else 1, shape[axis]
        low, high = (0, length) if step > 0 else (-1, length - 1)
        first = min(max(start + length if start < 0 else start, low), high)
        last = min(max(end + length if end < 0 else end, low), high)
        positions[axis] = np.arange(first, last, step) if length else positions[axis]
    return np.ix_(*positions)


@operator
def slice_(a, x):
    return x[slice_index(a, x.shape)]


@operator
def slice_gradient(a, dy, x):
    dx = np.zeros(x.shape, dy.dtype)
    dx[slice_index(a, x.shape)] = dy
    return dx


@operator
def pad(a, x):
    width = list(zip(a.before, a.after))
    if a.mode == 0:
        return np.pad(x, width, constant_values=np.array(a.value).astype(x.dtype))
    return np.pad(x, width, mode="reflect" if a.mode == 1 else "edge")


@operator
def expand(a, x):
    ahead = len(a.shape) - x.ndim
    target = [x.shape[i - ahead] if extent == 0 else extent for i, extent in enumerate(a.shape)]
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, target))


def rows(indices: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices with −1 the last, and which of them exist; the others are 0."""
    wrapped = np.where(indices < 0, indices + length, indices)
    exists = (wrapped >= 0) & (wrapped < length)
    return np.where(exists, wrapped, 0), exists


@operator
def gather(a, table, indices):
    axis = a.axis % table.ndim
    shape = table.shape[:axis] + indices.shape + table.shape[axis + 1:]
    if table.shape[axis] == 0:
        return np.zeros(shape, table.dtype)
    index, exists = rows(indices, table.shape[axis])
    exists = exists.reshape((1,) * axis + indices.shape + (1,) * (table.ndim - 1 - axis))
    return np.where(exists, np.take(table, index, axis=axis), np.zeros((), table.dtype))


@operator
def gather_gradient(a, dy, indices, table):
    axis = a.axis % table.ndim
    dtable = np.zeros(table.shape, dy.dtype)
    index, exists = rows(indices.ravel(), table.shape[axis])
    flat = dy.reshape(table.shape[:axis] + (indices.size,) + table.shape[axis + 1:])
    np.add.at(np.moveaxis(dtable, axis, 0), index[exists], np.moveaxis(flat, axis, 0)[exists])
    return dtable


@operator
def one_hot(a, indices):
    index, exists = rows(indices, a.depth)
    hit = exists[..., None] & (index[..., None] == np.arange(a.depth))
    return np.where(hit, np.float64(a.on_value), np.float64(a.off_value))


# ---- Reductions ----------------------------------------------------------------------------------------------------


def axes(a: Any, x: np.ndarray) -> tuple[int, ...]:
    return tuple(axis % x.ndim for axis in a.axes) if a.axes else tuple(range(x.ndim))


def extreme(x: np.ndarray, largest: bool) -> Any:
    if x.dtype == np.float64:
        return np.inf if largest else -np.inf
    return np.iinfo(x.dtype).max if largest else np.iinfo(x.dtype).min


@operator
def reduce_sum(a, x):
    return x.sum(axis=axes(a, x), keepdims=a.keep_dimensions, dtype=x.dtype)


@operator
def reduce_mean(a, x):
    count = np.prod([x.shape[axis] for axis in axes(a, x)], dtype=np.float64)
    return x.sum(axis=axes(a, x), keepdims=a.keep_dimensions) / count


@operator
def reduce_max(a, x):
    return x.max(axis=axes(a, x), keepdims=a.keep_dimensions, initial=extreme(x, False))


@operator
def reduce_min(a, x):
    return x.min(axis=axes(a, x), keepdims=a.keep_dimensions, initial=extreme(x, True))


@operator
def arg_max(a, x):
    return np.argmax(x, axis=a.axis, keepdims=a.keep_dimensions)


@operator
def arg_min(a, x):
    return np.argmin(x, axis=a.axis, keepdims=a.keep_dimensions)


@operator
def sum_like(a, x, like):
    ahead = x.ndim - like.ndim
    summed = x.sum(axis=tuple(range(ahead)))
    narrow = tuple(i for i in range(like.ndim) if like.shape[i] == 1 and summed.shape[i] != 1)
    return summed.sum(axis=narrow, keepdims=True).reshape(like.shape)


@operator
def expand_like(a, x, like):
    kept = [1 if axis in axes(a, like) else extent for axis, extent in enumerate(like.shape)]
    return np.broadcast_to(x.reshape(kept), like.shape)


@operator
def batch_count(a, x):
    return np.prod([x.shape[axis] for axis in axes(a, x)], dtype=np.float64)


# ---- Softmax and normalization -------------------------------------------------------------------------------------


def log_softmax_along(x: np.ndarray, axis: int) -> np.ndarray:
    shifted = x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


@operator
def softmax(a, x):
    e = np.exp(x - np.max(x, axis=a.axis, keepdims=True, initial=-np.inf))
    return e / e.sum(axis=a.axis, keepdims=True)


@operator
def log_softmax(a, x):
    return log_softmax_along(x, a.axis)


@operator
def batch_norm(a, x, gamma, beta, mean, variance):
    return (x - mean) * gamma / np.sqrt(variance + a.epsilon) + beta


def row_axes(x: np.ndarray, count: int) -> tuple[int, ...]:
    return tuple(range(x.ndim - count, x.ndim))


@operator
def rms_norm(a, x, gamma):
    last = row_axes(x, a.axes)
    scale = 1 / np.sqrt((x**2).mean(axis=last, keepdims=True) + a.epsilon)
    return x * scale * gamma, scale.reshape(x.shape[:x.ndim - a.axes])


@operator
def layer_norm(a, x, gamma, beta):
    last = row_axes(x, a.axes)
    mean = x.mean(axis=last, keepdims=True)
    scale = 1 / np.sqrt(((x - mean) ** 2).mean(axis=last, keepdims=True) + a.epsilon)
    outer = x.shape[:x.ndim - a.axes]
    return (x - mean) * scale * gamma + beta, mean.reshape(outer), scale.reshape(outer)
