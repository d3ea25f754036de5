"""Recurrent layers, step by step: the equations stand in Sources/CKernels/include/ck_recurrent.h."""

from __future__ import annotations

from typing import Any, Callable, Optional

import numpy as np

from .elementwise import KINDS, activate
from .quantized import F32, dynamic_dense, fma, weight_only_dense
from .registry import OPERATORS


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


# A step takes h, what the products take for it, and c; it gives the new h and c, and what training keeps.


def rnn_step(a: Any, x, r, b, h, m, c):
    total = x[0] + m @ r[0]
    return activate(a.activation, total), c, [total]


def gru_step(a: Any, x, r, b, h, m, c):
    reset, update = sigmoid(x[0] + m @ r[0]), sigmoid(x[1] + m @ r[1])
    inner = [m @ r[2] + b] if a.reset_after else []
    new = np.tanh(x[2] + (reset * inner[0] if inner else (reset * m) @ r[2]))
    return (1 - update) * new + update * h, c, [reset, update, new, *inner]


def lstm_step(a: Any, x, r, b, h, m, c):
    i, f, g, o = (x[k] + m @ r[k] for k in range(4))
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * c + i * g
    return o * np.tanh(c), c, [i, f, g, o, c]


def layer(
    a: Any, step: Callable, states: int, x: np.ndarray, r: np.ndarray, *rest: np.ndarray, keeps: bool = False
) -> list[np.ndarray]:
    extra = list(rest)
    b: Optional[np.ndarray] = extra.pop(0) if a.reset_after else None
    x = x if a.time_major else np.swapaxes(x, 0, 1)
    time, batch, gates, hidden = x.shape[0], x.shape[1], r.shape[0], r.shape[1]
    lengths = extra.pop(0) if a.has_lengths else np.full(batch, time)
    h = extra.pop(0) if a.has_initial_state else np.zeros((batch, hidden), x.dtype)
    c = extra.pop(0) if a.has_initial_state and states == 2 else np.zeros((batch, hidden), x.dtype)
    mask = extra.pop(0) if a.has_state_mask else 1
    parts = {1: 1, 3: 4 if a.reset_after else 3, 4: 5}[gates]
    y, kept = np.zeros((time, batch, hidden), x.dtype), np.zeros((time, batch, parts * hidden))
    for t in reversed(range(time)) if a.reverse else range(time):
        new_h, new_c, new_kept = step(a, np.moveaxis(x[t].reshape(batch, gates, hidden), 1, 0), r, b, h, h * mask, c)
        inside = (t < lengths)[:, None]
        y[t] = np.where(inside, new_h, 0)
        if keeps:
            kept[t] = np.where(inside, np.concatenate(new_kept, axis=-1), 0)
        h, c = np.where(inside, new_h, h), np.where(inside, new_c, c)
    y, kept = (z if a.time_major else np.swapaxes(z, 0, 1) for z in (y, kept))
    return [y, h, c][: 1 + states] + [kept] * keeps


# With integer weights (Docs/Quantization.md, section 13) a step takes the sums x of the gates' parts of the input, and `product`,
# which gives those of the state.

TANH_TOP = [float.fromhex(c) for c in ("-0x1.9db0cep-28", "0x1.db5cbap-18", "0x1.5fdcb6p-9", "0x1.04176ep-3", "0x1.ffffe0p-1")]
TANH_BOTTOM = [float.fromhex(c) for c in ("0x1.999264p-13", "0x1.758330p-6", "0x1.d76028p-2", "0x1p0")]


def exact_tanh(x: np.ndarray) -> np.ndarray:
    v = np.clip(x, F32(-8), F32(8))
    square = v * v

    def polynomial(coefficients: list[float]) -> np.ndarray:
        total = np.full_like(v, coefficients[0])
        for c in coefficients[1:]:
            total = fma(total, square, np.full_like(v, c))
        return total

    return v * polynomial(TANH_TOP) / polynomial(TANH_BOTTOM)


def exact_sigmoid(x: np.ndarray) -> np.ndarray:
    half = np.full_like(x, 0.5)
    return fma(half, exact_tanh(half * x), half)


def exact_rnn_step(a: Any, x, product, b, h, m, c):
    total, kind = x[0] + product(h)[0], a.activation.kind if a.activation else 0
    exact = {KINDS["sigmoid"]: exact_sigmoid, KINDS["tanh"]: exact_tanh}.get(kind)
    return (exact(total) if exact else activate(a.activation, total).astype(F32)), c, []


def exact_gru_step(a: Any, x, product, b, h, m, c):
    sums = product(h)
    reset, update = exact_sigmoid(x[0] + sums[0]), exact_sigmoid(x[1] + sums[1])
    new = exact_tanh(x[2] + (reset * (sums[2] + b) if a.reset_after else product(reset * h)[2]))
    return new + update * (h - new), c, []


def exact_lstm_step(a: Any, x, product, b, h, m, c):
    i, f, g, o = x + product(h)
    c = exact_sigmoid(f) * c + exact_sigmoid(i) * exact_tanh(g)
    return exact_sigmoid(o) * exact_tanh(c), c, []


EXACT_STEPS = {"rnn": exact_rnn_step, "gru": exact_gru_step, "lstm": exact_lstm_step}


def integer_layer(a: Any, cell: str, x: np.ndarray, *rest: np.ndarray) -> list[np.ndarray]:
    """The same from the operands that are in the place of R."""
    count = 3 if a.dynamic or a.weight_only.has_zero_points else 2
    weights, gates = rest[:count], {"rnn": 1, "gru": 3, "lstm": 4}[cell]

    def product(h: np.ndarray) -> np.ndarray:
        if a.dynamic:
            sums = dynamic_dense(a.dynamic, None, None, h, *weights[:2], weights[2].astype(F32))
        else:
            sums = weight_only_dense(a.weight_only, None, None, h, *weights)
        return np.moveaxis(sums.reshape(len(h), gates, h.shape[1]), 1, 0)

    # What `layer` reads of R is its shape.
    product.shape = (gates, x.shape[2] // gates)
    narrow = [z.astype(F32) if z.dtype == np.float64 else z for z in rest[count:]]
    return layer(a, EXACT_STEPS[cell], 2 if cell == "lstm" else 1, x.astype(F32), product, *narrow)


# A step back takes what the step kept, h, its mask and c before it, and the gradients at h and c after it; it gives those of the
# gates' sums, of what the gates' products give, and of h and c before, but for what flows through the products.


def rnn_back(a: Any, r, kept, h, m, c, dh, dc):
    epsilon = 1e-6
    slope = (activate(a.activation, kept[0] + epsilon) - activate(a.activation, kept[0] - epsilon)) / (2 * epsilon)
    return [dh * slope], [dh * slope], 0 * dh, dc


def gru_back(a: Any, r, kept, h, m, c, dh, dc):
    reset, update, new = kept[:3]
    dn = dh * (1 - update) * (1 - new**2)
    dz = dh * (h - new) * update * (1 - update)
    product = dn @ r[2].T
    dr = (dn * kept[3] if a.reset_after else product * h * m) * reset * (1 - reset)
    if a.reset_after:
        return [dr, dz, dn], [dr, dz, dn * reset], dh * update, dc
    return [dr, dz, dn], [dr, dz, 0 * dn], dh * update + product * reset * m, dc


def lstm_back(a: Any, r, kept, h, m, c, dh, dc):
    i, f, g, o, new = kept
    t = np.tanh(new)
    dc = dc + dh * o * (1 - t**2)
    sums = [dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2), dh * t * o * (1 - o)]
    return sums, sums, 0 * dh, dc * f


def gradient(a: Any, back: Callable, states: int, y: np.ndarray, kept: np.ndarray, r: np.ndarray, *rest: np.ndarray):
    extra, l = list(rest), a.layer
    y, kept = (z if l.time_major else np.swapaxes(z, 0, 1) for z in (y, kept))
    time, batch, hidden = y.shape
    gates = r.shape[0]
    lengths = extra.pop(0) if l.has_lengths else np.full(batch, time)
    zeros = np.zeros((batch, hidden))
    first = [extra.pop(0) if l.has_initial_state else zeros for _ in range(states)] + [zeros] * (2 - states)
    mask = extra.pop(0) if l.has_state_mask else 1
    dy = extra.pop(0) if a.has_dy else None
    dy = np.zeros_like(y) if dy is None else dy if l.time_major else np.swapaxes(dy, 0, 1)
    dh = extra.pop(0) if a.has_dh else zeros
    dc = extra.pop(0) if a.has_dc else zeros
    dx, du, dr = np.zeros((time, batch, gates * hidden)), np.zeros_like(y), np.zeros_like(r)
    for t in range(time) if l.reverse else reversed(range(time)):
        before, start = t + (1 if l.reverse else -1), np.where(l.reverse, t == lengths - 1, t == 0)[:, None]
        parts = np.split(kept[t], kept.shape[2] // hidden, axis=-1)
        known = 0 <= before < time
        h = np.where(start, first[0], y[before] if known else 0)
        c = np.where(start, first[1], kept[before][:, -hidden:] if known and states == 2 else 0)
        inside = (t < lengths)[:, None]
        sums, products, new_dh, new_dc = back(l, r, parts, h, mask, c, dh + dy[t], dc)
        sums, products = ([np.where(inside, z, 0) for z in list_] for list_ in (sums, products))
        new_dh = new_dh + mask * sum(d @ r[g].T for g, d in enumerate(products))
        dx[t], du[t] = np.concatenate(sums, axis=-1), products[-1]
        for g in range(gates):
            state = mask * (parts[0] * h if gates == 3 and g == 2 and not l.reset_after else h)
            dr[g] += state.T @ (products if l.reset_after else sums)[g]
        dh, dc = np.where(inside, new_dh, dh), np.where(inside, new_dc, dc)
    dx, du = (z if l.time_major else np.swapaxes(z, 0, 1) for z in (dx, du))
    return [dx, dr] + [du] * l.reset_after + [dh, dc][: states if l.has_initial_state else 0]


CELLS = {"rnn": (rnn_step, rnn_back, 1), "gru": (gru_step, gru_back, 1), "lstm": (lstm_step, lstm_back, 2)}
for name, (step, back, states) in CELLS.items():
    OPERATORS[name] = lambda a, *x, n=name, f=step, s=states: (
        integer_layer(a, n, *x) if a.dynamic or a.weight_only else layer(a, f, s, *x)
    )
    OPERATORS[f"{name}_training"] = lambda a, *x, f=step, s=states: layer(a, f, s, *x, keeps=True)
    OPERATORS[f"{name}_gradient"] = lambda a, *x, f=back, s=states: gradient(a, f, s, *x)
