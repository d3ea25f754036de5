"""Products, convolutions and pools."""

from __future__ import annotations

from typing import Any

import numpy as np

from .elementwise import activate
from .registry import operator

# ---- Products ------------------------------------------------------------------------------------------------------


def finish(a: Any, y: np.ndarray, *extra: np.ndarray) -> np.ndarray:
    """act(y + bias + residual), of which each is there or not."""
    return activate(a.activation, sum(extra, y))


@operator
def mat_mul(a, x, w):
    return np.matmul(np.swapaxes(x, -1, -2) if a.transpose_a else x, np.swapaxes(w, -1, -2) if a.transpose_b else w)


@operator
def dense(a, x, w, *extra):
    return finish(a, x @ w, *extra)


@operator
def dense_weight_gradient(a, x, dy):
    return x.reshape(-1, x.shape[-1]).T @ dy.reshape(-1, dy.shape[-1])


class Window:
    """Windows over the height and width of x: tap (ky, kx) of every window as a strided view of the padded x."""

    def __init__(self, a: Any, kernel: tuple[int, int], size: tuple[int, int]) -> None:
        self.kernel, self.size, self.stride = kernel, size, (a.stride_height, a.stride_width)
        self.dilation = (getattr(a, "dilation_height", 1), getattr(a, "dilation_width", 1))
        self.before, self.output, self.padded = [0, 0], [0, 0], [0, 0]
        explicit = ((a.pad_top, a.pad_bottom), (a.pad_left, a.pad_right))
        for axis in range(2):
            span = (kernel[axis] - 1) * self.dilation[axis] + 1
            if a.padding == 1:
                self.output[axis] = -(-size[axis] // self.stride[axis])
                self.before[axis] = max((self.output[axis] - 1) * self.stride[axis] + span - size[axis], 0) // 2
            else:
                before, after = explicit[axis] if a.padding == 2 else (0, 0)
                self.before[axis] = before
                self.output[axis] = (before + size[axis] + after - span) // self.stride[axis] + 1
            reach = (self.output[axis] - 1) * self.stride[axis] + span
            self.padded[axis] = max(reach, self.before[axis] + size[axis])

    def pad(self, x: np.ndarray, value: float) -> np.ndarray:
        full = np.full((x.shape[0], *self.padded, x.shape[3]), float(value))
        self.inside(full)[...] = x
        return full

    def inside(self, padded: np.ndarray) -> np.ndarray:
        (top, left), (height, width) = self.before, self.size
        return padded[:, top:top + height, left:left + width]

    def taps(self, padded: np.ndarray):
        for ky in range(self.kernel[0]):
            for kx in range(self.kernel[1]):
                y, x = ky * self.dilation[0], kx * self.dilation[1]
                stop_y, stop_x = y + self.output[0] * self.stride[0], x + self.output[1] * self.stride[1]
                yield ky, kx, padded[:, y:stop_y:self.stride[0], x:stop_x:self.stride[1]][
                    :, :self.output[0], :self.output[1]]


def grouped(x: np.ndarray, groups: int) -> np.ndarray:
    return x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)


def convolve(a: Any, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    window = Window(a, w.shape[:2], x.shape[1:3])
    y = np.zeros((x.shape[0], *window.output, a.groups, w.shape[3] // a.groups))
    for ky, kx, tap in window.taps(window.pad(x, 0)):
        y += np.einsum("nhwgc,cgo->nhwgo", grouped(tap, a.groups), grouped(w[ky, kx], a.groups), optimize=True)
    return y.reshape(*y.shape[:3], -1)


def convolve_backward(a: Any, dy: np.ndarray, w: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    window = Window(a, w.shape[:2], size)
    dx = np.zeros((dy.shape[0], *window.padded, w.shape[2] * a.groups))
    for ky, kx, tap in window.taps(dx):
        part = np.einsum("nhwgo,cgo->nhwgc", grouped(dy, a.groups), grouped(w[ky, kx], a.groups), optimize=True)
        tap += part.reshape(tap.shape)
    return window.inside(dx)


@operator
def conv2d(a, x, w, *extra):
    return finish(a, convolve(a, x, w), *extra)


@operator
def conv2d_transpose(a, x, w, *extra):
    c, extra_size = a.convolution, (a.output_padding_height, a.output_padding_width)
    stride, pads = (c.stride_height, c.stride_width), (c.pad_top + c.pad_bottom, c.pad_left + c.pad_right)
    dilation, size = (c.dilation_height, c.dilation_width), []
    for axis in range(2):
        full = (x.shape[1 + axis] - 1) * stride[axis] + (w.shape[axis] - 1) * dilation[axis] + 1 + extra_size[axis]
        size.append(x.shape[1 + axis] * stride[axis] if c.padding == 1 else full - pads[axis])
    return finish(c, convolve_backward(c, x, w, tuple(size)), *extra)


@operator
def conv2d_input_gradient(a, dy, w, x):
    return convolve_backward(a, dy, w, x.shape[1:3])


@operator
def conv2d_weight_gradient(a, x, dy, w):
    window, dw = Window(a, w.shape[:2], x.shape[1:3]), np.zeros(w.shape)
    for ky, kx, tap in window.taps(window.pad(x, 0)):
        part = np.einsum("nhwgc,nhwgo->cgo", grouped(tap, a.groups), grouped(dy, a.groups), optimize=True)
        dw[ky, kx] = part.reshape(w.shape[2:])
    return dw


# ---- Pools ---------------------------------------------------------------------------------------------------------


def pool_window(a: Any, x: np.ndarray) -> Window:
    return Window(a, (a.kernel_height, a.kernel_width), x.shape[1:3])


def pool_divisor(a: Any, x: np.ndarray) -> np.ndarray:
    window = pool_window(a, x)
    if a.count_include_pad:
        return np.array(float(a.kernel_height * a.kernel_width))
    return sum(tap for *_, tap in window.taps(window.pad(np.ones((1, *x.shape[1:3], 1)), 0)))


@operator
def max_pool(a, x):
    window = pool_window(a, x)
    return np.max([tap for *_, tap in window.taps(window.pad(x, -np.inf))], axis=0).astype(x.dtype)


@operator
def max_pool_index(a, x):
    window = pool_window(a, x)
    taps = np.stack([tap for *_, tap in window.taps(window.pad(x, -np.inf))])
    inside = np.stack([tap > 0 for *_, tap in window.taps(window.pad(np.ones(x.shape), 0))])
    y = np.max(taps, axis=0)
    return y, np.argmax(inside & ((taps == y) | np.isnan(taps)), axis=0).astype(np.uint8)


@operator
def conv2d_max_pool(a, x, w, *bias):
    return max_pool_index(a.pool, conv2d(a.convolution, x, w, *bias))


@operator
def conv2d_max_pool_weight_gradient(a, x, index, dy, w):
    size = Window(a.convolution, w.shape[:2], x.shape[1:3]).output
    like = np.empty((x.shape[0], *size, w.shape[3]))
    return conv2d_weight_gradient(a.convolution, x, max_pool_index_gradient(a.pool, index, dy, like), w)


@operator
def avg_pool(a, x):
    window = pool_window(a, x)
    return sum(tap for *_, tap in window.taps(window.pad(x, 0))) / pool_divisor(a, x)


@operator
def max_pool_gradient(a, x, y, dy):
    window = pool_window(a, x)
    free, dx = np.ones(y.shape, bool), window.pad(np.zeros(x.shape), 0)
    for (*_, tap), (*_, out) in zip(window.taps(window.pad(x, -np.inf)), window.taps(dx)):
        first = free & ((tap == y) | (np.isnan(tap) & np.isnan(y)))
        out += np.where(first, dy, 0)
        free &= ~first
    return window.inside(dx)


@operator
def max_pool_index_gradient(a, index, dy, x):
    window = pool_window(a, x)
    dx = window.pad(np.zeros(x.shape), 0)
    for number, (*_, out) in enumerate(window.taps(dx)):
        out += np.where(index == number, dy, 0)
    return window.inside(dx)


@operator
def avg_pool_gradient(a, dy, x):
    window = pool_window(a, x)
    dx = window.pad(np.zeros(x.shape), 0)
    for *_, tap in window.taps(dx):
        tap += dy / pool_divisor(a, x)
    return window.inside(dx)


@operator
def global_max_pool(a, x):
    return x.max(axis=tuple(range(1, x.ndim - 1)), initial=-np.inf)


@operator
def global_avg_pool(a, x):
    return x.mean(axis=tuple(range(1, x.ndim - 1)))
