"""Activations, and what works element by element."""

from __future__ import annotations

import math
from typing import Any, Callable

import numpy as np

from .registry import OPERATORS, operator

# ---- Activations ---------------------------------------------------------------------------------------------------

erf = np.vectorize(math.erf, otypes=[np.float64])


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def clipped(x: np.ndarray, low: float, high: float) -> np.ndarray:
    if np.issubdtype(x.dtype, np.integer):
        info = np.iinfo(x.dtype)
        low = info.min if low < info.min else info.max if low > info.max else math.ceil(low)
        high = info.max if high > info.max else info.min if high < info.min else math.floor(high)
        return np.minimum(np.maximum(x, np.array(low, x.dtype)), np.array(high, x.dtype))
    return np.minimum(np.maximum(x, low), high)


def times(x: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """x·factor, 0 where the factor is 0: at ±∞ the limit."""
    return np.where(factor == 0, 0, x * factor)


def tanh_argument(x: np.ndarray) -> np.ndarray:
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)


ACTIVATIONS: list[Callable] = [
    lambda x, a, b: x,
    lambda x, a, b: np.maximum(x, 0),
    lambda x, a, b: clipped(x, 0, 6),
    lambda x, a, b: np.where(x < 0, a * x, x),
    lambda x, a, b: np.where(x < 0, a * np.expm1(x), x),
    lambda x, a, b: sigmoid(x),
    lambda x, a, b: np.tanh(x),
    lambda x, a, b: times(x, (1 + erf(x / math.sqrt(2))) / 2),
    lambda x, a, b: times(x, (1 + np.tanh(tanh_argument(x))) / 2),
    lambda x, a, b: times(x, sigmoid(x)),
    lambda x, a, b: times(x, clipped(x + 3, 0, 6) / 6),
    lambda x, a, b: np.logaddexp(0, x),
    clipped,
]

# f′(x); where it does not exist as Docs/Format.md says.
SLOPES: list[Callable] = [
    lambda x, a, b: np.ones_like(x),
    lambda x, a, b: x > 0,
    lambda x, a, b: (x > 0) & (x < 6),
    lambda x, a, b: np.where(x > 0, 1, a),
    lambda x, a, b: np.where(x > 0, 1, a * np.exp(x)),
    lambda x, a, b: sigmoid(x) * (1 - sigmoid(x)),
    lambda x, a, b: 1 / np.cosh(x) ** 2,
    lambda x, a, b: (1 + erf(x / math.sqrt(2))) / 2 + times(x, np.exp(-x * x / 2)) / math.sqrt(2 * math.pi),
    lambda x, a, b: (1 + np.tanh(tanh_argument(x))) / 2
    + times(x * (1 + 3 * 0.044715 * x * x), 1 / np.cosh(tanh_argument(x)) ** 2) / math.sqrt(2 * math.pi),
    lambda x, a, b: sigmoid(x) + times(x, sigmoid(x) * (1 - sigmoid(x))),
    lambda x, a, b: np.where(x < -3, 0, np.where(x > 3, 1, (2 * x + 3) / 6)),
    lambda x, a, b: sigmoid(x),
    lambda x, a, b: (x >= a) & (x <= b),
]


def activate(activation: Any, x: np.ndarray) -> np.ndarray:
    return x if activation is None else ACTIVATIONS[activation.kind](x, activation.alpha, activation.beta)


@operator
def activation_gradient(a, x, dy):
    slope = SLOPES[a.activation.kind](x, a.activation.alpha, a.activation.beta)
    return np.where(slope, dy, 0.0) if slope.dtype == np.bool_ else dy * slope


KINDS = dict(
    relu=1, relu6=2, leaky_relu=3, elu=4, sigmoid=5, tanh=6, gelu=7, silu=9, hard_swish=10, softplus=11, clip=12
)  # fmt: skip
for name, kind in KINDS.items():
    def act(a, x, kind=kind):
        kind += kind == 7 and a.tanh
        return ACTIVATIONS[kind](x, getattr(a, "alpha", getattr(a, "minimum", 0)), getattr(a, "maximum", 0))

    OPERATORS[name] = act

# ---- Element by element --------------------------------------------------------------------------------------------


def divided(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.dtype == np.float64:
        return a / b
    a, b = np.broadcast_arrays(a, b)
    quotient = np.where(b == 0, 0, a // np.where(b == 0, 1, b)).astype(a.dtype)
    toward_zero = (b != 0) & ((a < 0) != (b < 0)) & (quotient * b != a)
    return (quotient + toward_zero).astype(a.dtype)


def power(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.dtype == np.float64:
        return np.power(a, b)
    of_one = np.where(a == 1, 1, np.where(b & 1, a, 1))
    inverse = np.where(np.abs(a) == 1, of_one, 0).astype(a.dtype)
    return np.where(b < 0, inverse, np.power(a, np.maximum(b, 0)))


SIMPLE = dict(
    add=np.add, sub=np.subtract, mul=np.multiply, div=divided, max=np.maximum, min=np.minimum, pow=power,
    equal=np.equal, not_equal=np.not_equal, less=np.less, less_or_equal=np.less_equal, greater=np.greater,
    greater_or_equal=np.greater_equal, xor=np.bitwise_xor, where=np.where, reshape_like=lambda x, y: x.reshape(y.shape),
    **{"and": np.bitwise_and, "or": np.bitwise_or, "not": np.logical_not},
    neg=np.negative, exp=np.exp, log=np.log, sqrt=np.sqrt, abs=np.abs, sign=np.sign, reciprocal=lambda x: 1 / x,
    square=np.square, floor=np.floor, ceil=np.ceil, round=np.rint, erf=erf, sin=np.sin, cos=np.cos,
)  # fmt: skip
for name, function in SIMPLE.items():
    OPERATORS[name] = lambda a, *x, function=function: function(*x)
