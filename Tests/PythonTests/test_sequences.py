"""Layers over time against PyTorch and Keras: forward, loss and every gradient of the same batch, with padded sequences.

`swift test --filter testOracleFilesAreWritten` writes build/oracle/NETWORK.npz (Tests/ApusTests/Training/SequenceNetworks.swift);
here each network is built again, by PyTorch's modules and by Keras's layers on PyTorch. The bound is that of test_torch.py.
"""

from __future__ import annotations

import os
from typing import Callable

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -r scripts/requirements-oracle.txt")
from test_torch import ORACLE, check  # noqa: E402

F = torch.nn.functional
GATES = {"gru": 3, "lstm": 4, "rnn": 1}


def load(name: str) -> dict[str, np.ndarray]:
    path = ORACLE / f"{name}.npz"
    assert path.exists(), f"no {path.name}: run swift test --filter testOracleFilesAreWritten"
    with np.load(path) as file:
        return dict(file)


# ---- PyTorch -------------------------------------------------------------------------------------------------------


class Torch:
    """Modules that take their weights by Apus's names, and give the gradients back under them."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays, self.gradients = arrays, {}
        self.ids = torch.tensor(arrays["x"], dtype=torch.int64)
        self.lengths = (self.ids != 0).long().cumsum(1).argmax(1) + 1

    def weight(self, name: str):
        value = torch.tensor(self.arrays[f"parameter/{name}"], dtype=torch.float64, requires_grad=True)
        self.gradients[name] = lambda: value.grad
        return value

    def embedding(self):
        return F.embedding(self.ids, self.weight("embedding/embeddings"))

    def dense(self, x):
        return x @ self.weight("dense/kernel") + self.weight("dense/bias")

    def conv(self, layer: str, x, left: int, right: int, dilation: int = 1):
        kernel = self.weight(f"{layer}/kernel")[0].permute(2, 1, 0)
        return F.conv1d(F.pad(x, (left, right)), kernel, self.weight(f"{layer}/bias"), dilation=dilation)

    def module(self, cell: str, layer: str, channels: int, units: int, ways: list[str], **options):
        """torch.nn's GRU, LSTM or RNN; `ways` are the prefixes of its directions' weights."""
        kind = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}[cell]
        net = kind(channels, units, batch_first=True, bidirectional=len(ways) == 2, dtype=torch.float64, **options)
        for way, suffix in zip(ways, ("", "_reverse")):
            name = f"{layer}/{way}"
            w, r, b = (self.arrays[f"parameter/{name}{part}"] for part in ("kernel", "recurrent_kernel", "bias"))
            c = np.zeros_like(b)
            if cell == "gru":
                c[2 * units :] = self.arrays[f"parameter/{name}recurrent_bias"]
            for part, value in (("weight_ih", w.T), ("weight_hh", r.transpose(0, 2, 1).reshape(-1, units)), ("bias_ih", b), ("bias_hh", c)):
                getattr(net, f"{part}_l0{suffix}").data = torch.tensor(np.ascontiguousarray(value), dtype=torch.float64)
            grads = {part: getattr(net, f"{part}_l0{suffix}") for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
            self.gradients[f"{name}kernel"] = lambda g=grads: g["weight_ih"].grad.T
            self.gradients[f"{name}recurrent_kernel"] = lambda g=grads: g["weight_hh"].grad.reshape(-1, units, units).transpose(1, 2)
            self.gradients[f"{name}bias"] = lambda g=grads: g["bias_ih"].grad
            if cell == "gru":
                self.gradients[f"{name}recurrent_bias"] = lambda g=grads: g["bias_hh"].grad[2 * units :]
        return net

    def over(self, net, x, masked: bool = True):
        """y [batch, time, ways, units] and the last h [ways, batch, units]."""
        if masked:
            x = torch.nn.utils.rnn.pack_padded_sequence(x, self.lengths, batch_first=True, enforce_sorted=False)
        y, state = net(x)
        if masked:
            y = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=self.ids.shape[1])[0]
        return y.unflatten(-1, (-1, net.hidden_size)), state[0] if isinstance(state, tuple) else state


BOTH = ["forward_", "backward_"]


def torch_gru(t: Torch):
    y, _ = t.over(t.module("gru", "bidirectional", 6, 7, BOTH), t.embedding())
    return t.dense(t.over(t.module("gru", "gru", 14, 6, [""]), y.flatten(2))[1][0])


def torch_lstm(t: Torch):
    y, _ = t.over(t.module("lstm", "bidirectional", 6, 7, BOTH), t.embedding())
    return t.dense(t.over(t.module("lstm", "lstm", 7, 6, [""]), y.sum(2))[1][0])


def torch_rnn(t: Torch):
    y, _ = t.over(t.module("rnn", "simplernn", 6, 7, [""]), t.embedding().flip(1), masked=False)
    _, h = t.over(t.module("rnn", "bidirectional", 7, 6, BOTH, nonlinearity="relu"), y.flatten(2), masked=False)
    return t.dense(torch.cat([h[0], h[1]], -1))


def torch_conv1d(t: Torch):
    x = torch.tanh(t.conv("conv1d", t.embedding().transpose(1, 2), 4, 0, dilation=2))
    x = t.conv("conv1d_1", F.max_pool1d(x, 2, 1), 1, 1)
    return t.dense(F.avg_pool1d(x, 2).mean(2))


@pytest.mark.parametrize("name, build", [("gru", torch_gru), ("lstm", torch_lstm), ("rnn", torch_rnn), ("conv1d", torch_conv1d)])
def test_torch(name: str, build: Callable) -> None:
    arrays = load(name)
    net = Torch(arrays)
    logits = build(net)
    compare(arrays, logits, {k: v for k, v in net.gradients.items()})


def compare(arrays: dict[str, np.ndarray], logits, gradients: dict[str, Callable]) -> None:
    loss = F.cross_entropy(logits, torch.tensor(arrays["labels"], dtype=torch.int64))
    loss.backward()
    check(arrays["logits"], logits, "logits")
    check(arrays["prediction"], logits, "prediction of the exported graph")
    check(arrays["loss"], loss, "loss")
    assert {f"gradient/{name}" for name in gradients} == {key for key in arrays if key.startswith("gradient/")}
    for name, gradient in gradients.items():
        check(arrays[f"gradient/{name}"], gradient(), f"gradient of {name}")


# ---- Keras ---------------------------------------------------------------------------------------------------------

# Keras's place of each gate: z, r, h of GRU; i, f, c, o of LSTM.
ORDER = {3: [1, 0, 2], 4: [0, 1, 2, 3], 1: [0]}


class Keras:
    """Layers with the weights of Apus's layers, and the gradients of these."""

    def __init__(self, keras, arrays: dict[str, np.ndarray]) -> None:
        self.keras, self.arrays, self.gradients = keras, arrays, {}
        self.ids = torch.tensor(arrays["x"])

    def __call__(self, layer, name: str, x, *ways: str, **options):
        y = layer(x, **options)
        parts = [layer] if not ways or ways == ("",) else [layer.forward_layer, layer.backward_layer]
        for part, way in zip(parts, ways or ("",)):
            for variable in part.weights:
                self.assign(variable, f"{name}/{way}{variable.name}")
        return layer(x, **options)

    def assign(self, variable, name: str) -> None:
        kind = name.rsplit("/")[1].removeprefix("forward_").removeprefix("backward_")
        if f"parameter/{name}" not in self.arrays:
            raise AssertionError(f"no parameter {name}")
        value = self.arrays[f"parameter/{name}"]
        prefix = name[: len(name) - len(kind)]
        recurrent = self.arrays.get(f"parameter/{prefix}recurrent_kernel")
        if recurrent is None:
            variable.assign(value[0] if value.ndim == 4 else value)
            self.gradients[name] = lambda: variable.value.grad.reshape(value.shape)
            return
        gates, units = recurrent.shape[0], recurrent.shape[1]
        order = ORDER[gates]
        back = [order.index(g) for g in range(gates)]

        def gated(x, places):  # the gates along the last axis, in another order
            return x.reshape(*x.shape[:-1], gates, units)[..., places, :].reshape(*x.shape)

        if kind == "recurrent_kernel":
            variable.assign(gated(value.transpose(1, 0, 2).reshape(units, -1), order))
            self.gradients[name] = lambda: gated(variable.value.grad, back).reshape(units, gates, units).transpose(0, 1)
        elif kind == "bias" and len(variable.shape) == 2:
            c = np.zeros_like(value)
            c[2 * units :] = self.arrays[f"parameter/{prefix}recurrent_bias"]
            variable.assign(np.stack([gated(value, order), c]))
            self.gradients[name] = lambda: gated(variable.value.grad[0], back)
            self.gradients[f"{prefix}recurrent_bias"] = lambda: variable.value.grad[1, 2 * units :]
        else:
            variable.assign(gated(value, order))
            self.gradients[name] = lambda: gated(variable.value.grad, back)


def keras_network(k: Keras, name: str):
    layers = k.keras.layers
    mask = k.ids != 0
    if name in ("rnn", "conv1d"):
        mask = None
    masked = {} if mask is None else {"mask": mask}
    x = k(layers.Embedding(12, 6), "embedding", k.ids)
    both = ("forward_", "backward_")
    if name == "gru":
        x = k(layers.Bidirectional(layers.GRU(7, return_sequences=True)), "bidirectional", x, *both, **masked)
        x = k(layers.GRU(6), "gru", x, "", **masked)
    elif name == "gru-before":
        x = k(layers.GRU(7, reset_after=False, return_sequences=True), "gru", x, "", **masked)
        x = k(layers.Bidirectional(layers.GRU(6, reset_after=False), merge_mode="sum"), "bidirectional", x, *both, **masked)
    elif name == "lstm":
        x = k(layers.Bidirectional(layers.LSTM(7, return_sequences=True), merge_mode="sum"), "bidirectional", x, *both, **masked)
        x = k(layers.LSTM(6), "lstm", x, "", **masked)
    elif name == "rnn":
        x = k(layers.SimpleRNN(7, return_sequences=True, go_backwards=True), "simplernn", x, "")
        x = k(layers.Bidirectional(layers.SimpleRNN(6, activation="relu")), "bidirectional", x, *both)
    else:
        x = k(layers.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="tanh"), "conv1d", x)
        x = k(layers.Conv1D(6, 3, padding="same"), "conv1d_1", layers.MaxPooling1D(2, 1)(x))
        x = layers.GlobalAveragePooling1D()(layers.AveragePooling1D(2)(x))
    return k(layers.Dense(5), "dense", x)


@pytest.mark.parametrize("name", ["gru", "gru-before", "lstm", "rnn", "conv1d"])
def test_keras(name: str) -> None:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras", reason="Keras is not installed: pip install -r scripts/requirements-oracle.txt")
    assert keras.backend.backend() == "torch"
    net = Keras(keras, load(name))
    compare(net.arrays, keras_network(net, name), net.gradients)
