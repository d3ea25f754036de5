"""Recurrent layers, step by step: the equations stand in Sources/CKernels/include/ck_recurrent.h."""

from __future__ import annotations

from typing import Any, Callable, Optional

import numpy as np

from .elementwise import activate
from .registry import operator


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def rnn_step(a: Any, x, r, b, h, c):
    return activate(a.activation, x[0] + h @ r[0]), c


def gru_step(a: Any, x, r, b, h, c):
    reset, update = sigmoid(x[0] + h @ r[0]), sigmoid(x[1] + h @ r[1])
    new = np.tanh(x[2] + (reset * (h @ r[2] + b) if a.reset_after else (reset * h) @ r[2]))
    return (1 - update) * new + update * h, c


def lstm_step(a: Any, x, r, b, h, c):
    i, f, g, o = (x[k] + h @ r[k] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def layer(a: Any, step: Callable, states: int, x: np.ndarray, r: np.ndarray, *rest: np.ndarray) -> list[np.ndarray]:
    extra = list(rest)
    b: Optional[np.ndarray] = extra.pop(0) if a.reset_after else None
    x = x if a.time_major else np.swapaxes(x, 0, 1)
    time, batch, gates, hidden = x.shape[0], x.shape[1], r.shape[0], r.shape[1]
    lengths = extra.pop(0) if a.has_lengths else np.full(batch, time)
    h = extra.pop(0) if a.has_initial_state else np.zeros((batch, hidden))
    c = extra.pop(0) if a.has_initial_state and states == 2 else np.zeros((batch, hidden))
    y = np.zeros((time, batch, hidden))
    for t in reversed(range(time)) if a.reverse else range(time):
        parts = np.moveaxis(x[t].reshape(batch, gates, hidden), 1, 0)
        new_h, new_c = step(a, parts, r, b, h, c)
        inside = (t < lengths)[:, None]
        y[t] = np.where(inside, new_h, 0)
        h, c = np.where(inside, new_h, h), np.where(inside, new_c, c)
    return [y if a.time_major else np.swapaxes(y, 0, 1), h, c][: 1 + states]


@operator
def rnn(a, *inputs):
    return layer(a, rnn_step, 1, *inputs)


@operator
def gru(a, *inputs):
    return layer(a, gru_step, 1, *inputs)


@operator
def lstm(a, *inputs):
    return layer(a, lstm_step, 2, *inputs)
