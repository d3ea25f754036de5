"""What training functions are made of: gradients, losses, random numbers, optimizers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .elementwise import activate
from .registry import operator
from .values import log_softmax_along, row_axes

# ---- Gradients -----------------------------------------------------------------------------------------------------


@operator
def softmax_gradient(a, y, dy):
    return y * (dy - (y * dy).sum(axis=a.axis, keepdims=True))


@operator
def log_softmax_gradient(a, y, dy):
    return dy - np.exp(y) * dy.sum(axis=a.axis, keepdims=True)


@operator
def batch_norm_training(a, x, gamma, beta, moving_mean, moving_variance, residual=0):
    over = tuple(range(x.ndim - 1))
    mean = x.mean(axis=over)
    variance = ((x - mean) ** 2).mean(axis=over)
    scale = 1 / np.sqrt(variance + a.epsilon)
    moved = [a.momentum * old + (1 - a.momentum) * new for old, new in ((moving_mean, mean), (moving_variance, variance))]
    y = activate(a.activation, (x - mean) * scale * gamma + beta + residual)
    return y, *moved, mean, scale


@operator
def batch_norm_gradient(a, x, gamma, mean, scale, dy, y=None):
    dy = dy if y is None else np.where(y > 0, dy, 0)
    over, count = tuple(range(x.ndim - 1)), x.size / x.shape[-1]
    n = (x - mean) * scale
    dbeta, dgamma = dy.sum(axis=over), (dy * n).sum(axis=over)
    return gamma * scale * (dy - dbeta / count - n * dgamma / count), dgamma, dbeta


@operator
def layer_norm_gradient(a, x, gamma, mean, scale, dy):
    last, outer = row_axes(x, gamma.ndim), tuple(range(x.ndim - gamma.ndim))
    mean, scale = (s.reshape(s.shape + (1,) * gamma.ndim) for s in (mean, scale))
    n, h = (x - mean) * scale, dy * gamma
    dx = scale * (h - h.mean(axis=last, keepdims=True) - n * (h * n).mean(axis=last, keepdims=True))
    return dx, (dy * n).sum(axis=outer), dy.sum(axis=outer)


@operator
def rms_norm_gradient(a, x, gamma, scale, dy):
    last, outer = row_axes(x, gamma.ndim), tuple(range(x.ndim - gamma.ndim))
    scale = scale.reshape(scale.shape + (1,) * gamma.ndim)
    n, h = x * scale, dy * gamma
    return scale * (h - n * (h * n).mean(axis=last, keepdims=True)), (dy * n).sum(axis=outer)


# ---- Losses --------------------------------------------------------------------------------------------------------


@operator
def softmax_cross_entropy(a, x, targets):
    return -np.where(targets == 0, 0, targets * log_softmax_along(x, -1)).sum(axis=-1)


@operator
def softmax_cross_entropy_gradient(a, x, targets, dloss):
    total = targets.sum(axis=-1, keepdims=True)
    return (np.exp(log_softmax_along(x, -1)) * total - targets) * dloss[..., None]


def hits(x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One-hot labels, and which of them exist."""
    return labels[..., None] == np.arange(x.shape[-1]), (labels >= 0) & (labels < x.shape[-1])


@operator
def sparse_softmax_cross_entropy(a, x, labels):
    hit, exists = hits(x, labels)
    loss = -np.where(hit, log_softmax_along(x, -1), 0).sum(axis=-1)
    return np.where(exists, loss, np.nan)


@operator
def sparse_softmax_cross_entropy_gradient(a, x, labels, dloss):
    hit, exists = hits(x, labels)
    dx = (np.exp(log_softmax_along(x, -1)) - hit) * dloss[..., None]
    return np.where(exists[..., None], dx, 0.0)


# ---- Random numbers ------------------------------------------------------------------------------------------------


def words(a: Any, counter: np.ndarray, count: int) -> np.ndarray:
    """Philox4x32-10 under the node's seed: one 32-bit word per element, and the rest of the last block."""
    mask, blocks = np.uint64(0xFFFFFFFF), -(-count // 4)
    step = int(counter) & (1 << 64) - 1
    c = [np.arange(blocks, dtype=np.uint64)]
    c += [np.full(blocks, part, np.uint64) for part in (step & 0xFFFFFFFF, step >> 32, a.stream)]
    k = [a.seed & 0xFFFFFFFF, a.seed >> 32]
    for _ in range(10):
        first, second = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [second >> 32 ^ c[1] ^ np.uint64(k[0]), second & mask, first >> 32 ^ c[3] ^ np.uint64(k[1]), first & mask]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c, axis=-1).reshape(-1)


def uniform(a: Any, counter: np.ndarray, count: int) -> np.ndarray:
    return (words(a, counter, count)[:count] >> 8) * 2.0**-24


@operator
def random_uniform(a, counter):
    u = uniform(a, counter, math.prod(a.shape)).reshape(a.shape)
    return a.low + (a.high - a.low) * u


@operator
def random_normal(a, counter):
    count = math.prod(a.shape)
    pairs = words(a, counter, -(-count // 4) * 4).reshape(-1, 2)
    radius = np.sqrt(-2 * np.log((pairs[:, 0] + 0.5) * 2.0**-32))
    angle = 2 * math.pi * (pairs[:, 1] >> 8) * 2.0**-24
    z = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1).reshape(-1)[:count]
    return a.low + a.high * z.reshape(a.shape)


@operator
def dropout(a, x, counter):
    keep = uniform(a, counter, x.size).reshape(x.shape) >= a.rate
    return np.where(keep, x / (1 - a.rate), 0.0)


# ---- Optimizers ----------------------------------------------------------------------------------------------------


@operator
def sgd(a, p, g, *rest):
    *slots, rate, _ = rest
    g = rate * (g + a.weight_decay * p)
    if not slots:
        return p - g
    v = a.momentum * slots[0] - g
    return p + (a.momentum * v - g if a.nesterov else v), v


@operator
def rms_prop(a, p, g, *rest):
    *slots, rate, _ = rest
    g = g + a.weight_decay * p
    v = a.rho * slots[0] + (1 - a.rho) * g * g
    d = rate * g / np.sqrt(v + a.epsilon)
    if a.momentum == 0:
        return p - d, v
    m = a.momentum * slots[1] + d
    return p - m, v, m


@operator
def adagrad(a, p, g, total, rate, _):
    g = g + a.weight_decay * p
    total = total + g * g
    return p - rate * g / np.sqrt(total + a.epsilon), total


@operator
def adam(a, p, g, m, v, rate, step):
    if a.decoupled:
        p = p - p * a.weight_decay * rate
    else:
        g = g + a.weight_decay * p
    m = m + (g - m) * (1 - a.beta1)
    v = v + (g * g - v) * (1 - a.beta2)
    t = float(step)
    alpha = rate * math.sqrt(1 - a.beta2**t) / (1 - a.beta1**t)
    return p - alpha * m / (np.sqrt(v) + a.epsilon), m, v


@operator
def global_norm(a, *x):
    return np.sqrt(sum((v * v).sum() for v in x))


@operator
def clip_by_norm(a, x, norm):
    return x * (min(1.0, a.maximum / norm) if np.isfinite(norm) else np.nan)
