"""A network described once, for every framework to build: a list of nodes over shapes without the batch.

    net = Network("mnist-cnn", (28, 28, 1))
    x = net.conv(net.input, 32, 3, activation="relu")
    net.output = net.dense(net.flatten(x), 10)

Shapes and weights are channels-last: images are (height, width, channels), kernels (height, width, input channels of a
group, output channels) and (inputs, outputs). Padding is symmetric, in elements.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Node:
    index: int
    op: str
    inputs: list[int]
    shape: tuple[int, ...]
    attributes: dict = field(default_factory=dict)
    # The weights' shapes, in the order in which every framework takes them.
    weights: dict[str, tuple[int, ...]] = field(default_factory=dict)
    # Operations of one sample, 2 for a multiply-add; only those of products count.
    operations: int = 0
    # Parameters that a framework has beside these: further summands of a bias.
    spare: dict[str, int] = field(default_factory=dict)


class Network:
    def __init__(self, name: str, input_shape: tuple[int, ...], integer_below: int | None = None) -> None:
        """integer_below: the input holds integers 0 ..< this, such as tokens."""
        self.name = name
        self.integer_below = integer_below
        self.nodes: list[Node] = []
        self.input = self._add("input", [], input_shape)
        self.output = self.input

    # ---- Layers: each returns the index of its node ------------------------------------------------------------------

    def conv(self, x: int, filters: int, kernel: int, stride: int = 1, padding: int = 0, groups: int = 1,
             bias: bool = True, activation: str | None = None) -> int:
        height, width, channels = self.shape(x)
        extent = [(size + 2 * padding - kernel) // stride + 1 for size in (height, width)]
        weights = {"kernel": (kernel, kernel, channels // groups, filters)} | ({"bias": (filters,)} if bias else {})
        operations = 2 * math.prod(weights["kernel"]) * math.prod(extent)
        return self.activation(
            self._add("conv", [x], (*extent, filters), weights, operations, stride=stride, padding=padding,
                      groups=groups, kernel=kernel), activation)

    def dense(self, x: int, units: int, bias: bool = True, activation: str | None = None) -> int:
        *rows, width = self.shape(x)
        weights = {"kernel": (width, units)} | ({"bias": (units,)} if bias else {})
        return self.activation(
            self._add("dense", [x], (*rows, units), weights, 2 * math.prod(rows) * width * units), activation)

    def batch_norm(self, x: int, epsilon: float = 1e-5) -> int:
        channels = (self.shape(x)[-1],)
        weights = {name: channels for name in ("gamma", "beta", "mean", "variance")}
        return self._add("batch_norm", [x], self.shape(x), weights, epsilon=epsilon)

    def layer_norm(self, x: int, epsilon: float = 1e-6) -> int:
        width = (self.shape(x)[-1],)
        return self._add("layer_norm", [x], self.shape(x), {"gamma": width, "beta": width}, epsilon=epsilon)

    def activation(self, x: int, function: str | None) -> int:
        """relu, relu6, silu, sigmoid, gelu (by erf), gelu_tanh, or nothing."""
        return x if function is None else self._add("activation", [x], self.shape(x), function=function)

    def max_pool(self, x: int, size: int, stride: int | None = None, padding: int = 0) -> int:
        """Where there is padding the input must not be negative: it is padded with zeros."""
        stride = stride or size
        height, width, channels = self.shape(x)
        extent = [(n + 2 * padding - size) // stride + 1 for n in (height, width)]
        return self._add("max_pool", [x], (*extent, channels), size=size, stride=stride, padding=padding)

    def global_avg_pool(self, x: int, keep: bool = False) -> int:
        channels = self.shape(x)[-1]
        return self._add("global_avg_pool", [x], (1, 1, channels) if keep else (channels,), keep=keep)

    def flatten(self, x: int) -> int:
        return self._add("flatten", [x], (math.prod(self.shape(x)),))

    def add(self, x: int, y: int) -> int:
        return self._add("add", [x, y], self.shape(x))

    def scale(self, x: int, y: int) -> int:
        """x times y, an image of 1 x 1."""
        return self._add("scale", [x, y], self.shape(x))

    def attention(self, query: int, key: int, value: int, heads: int, causal: bool = False) -> int:
        tokens, width = self.shape(query)
        operations = 4 * tokens * tokens * width // (2 if causal else 1)
        return self._add("attention", [query, key, value], (tokens, width), {}, operations, heads=heads, causal=causal)

    def embedding(self, x: int, entries: int, width: int) -> int:
        return self._add("embedding", [x], (*self.shape(x), width), {"table": (entries, width)})

    def tied(self, x: int, embedding: int) -> int:
        """Scores over the entries of an embedding, with its table."""
        entries, width = self.nodes[embedding].weights["table"]
        tokens = self.shape(x)[0]
        return self._add("tied", [x], (tokens, entries), None, 2 * tokens * width * entries, embedding=embedding)

    def positions(self, x: int) -> int:
        """Adds a learned vector to each token."""
        return self._add("positions", [x], self.shape(x), {"table": self.shape(x)})

    def tokens(self, x: int) -> int:
        """An image's places as tokens, after a learned one."""
        height, width, channels = self.shape(x)
        return self._add("tokens", [x], (height * width + 1, channels), {"first": (channels,)})

    def first_token(self, x: int) -> int:
        return self._add("first_token", [x], self.shape(x)[1:])

    def mean_token(self, x: int) -> int:
        return self._add("mean_token", [x], self.shape(x)[1:])

    def recurrent(self, x: int, cell: str, units: int, sequences: bool = True, dropout: float = 0) -> int:
        """A GRU whose reset follows the product, gates r, z, n, or an LSTM, gates i, f, g, o; every y, or the last."""
        steps, width = self.shape(x)
        gates = {"gru": 3, "lstm": 4}[cell]
        weights = {"kernel": (width, gates * units), "recurrent": (units, gates * units), "bias": (gates * units,)}
        spare = {"keras": 0, "pytorch": gates * units}
        if cell == "gru":
            weights["recurrent_bias"] = (units,)
            spare = {"keras": 2 * units, "pytorch": 2 * units}
        node = self._add(
            "recurrent", [x], (steps, units) if sequences else (units,), weights,
            2 * steps * gates * units * (width + units), cell=cell, units=units, sequences=sequences, dropout=dropout)
        self.nodes[node].spare = spare
        return node

    # ---- What there is ------------------------------------------------------------------------------------------------

    def shape(self, x: int) -> tuple[int, ...]:
        return self.nodes[x].shape

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.nodes[0].shape

    @property
    def output_size(self) -> int:
        return math.prod(self.shape(self.output))

    @property
    def classes(self) -> int:
        """How many a sample, or each of its tokens, is told apart into."""
        return self.shape(self.output)[-1]

    @property
    def operations(self) -> int:
        return sum(node.operations for node in self.nodes)

    @property
    def parameters(self) -> int:
        return sum(math.prod(shape) for node in self.nodes for shape in node.weights.values())

    @property
    def trainable(self) -> int:
        """Parameters without the statistics of normalizations."""
        return sum(math.prod(shape) for node in self.nodes for name, shape in node.weights.items()
                   if name not in ("mean", "variance"))

    def spare(self, framework: str) -> int:
        """Trainable parameters that a framework has beside those of the table."""
        return sum(node.spare.get(framework.split("-")[0], 0) for node in self.nodes)

    def weights(self) -> list[dict[str, np.ndarray]]:
        """The weights of each node, the same in every process: drawn by the network's name."""
        random = np.random.default_rng(zlib.crc32(self.name.encode()))
        return [{name: _draw(random, node.op, name, shape) for name, shape in node.weights.items()} for node in self.nodes]

    def sample(self, batch: int = 1) -> np.ndarray:
        """An input of `batch` samples, f32 or int64."""
        random = np.random.default_rng(1 + zlib.crc32(self.name.encode()))
        shape = (batch, *self.input_shape)
        if self.integer_below:
            return random.integers(0, self.integer_below, shape)
        return random.standard_normal(shape, np.float32)

    def _add(self, op: str, inputs: list[int], shape: tuple[int, ...], weights: dict | None = None, operations: int = 0,
             **attributes) -> int:
        self.nodes.append(Node(len(self.nodes), op, inputs, shape, attributes, weights or {}, operations))
        return len(self.nodes) - 1


def _draw(random: np.random.Generator, op: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Values that keep activations near 1 through any number of layers."""
    noise = random.standard_normal(shape, np.float32)
    if name in ("kernel", "recurrent"):
        return noise * np.float32(math.sqrt((2 if op == "conv" else 1) / math.prod(shape[:-1])))
    if name in ("gamma", "variance"):
        return 1 + np.float32(0.1) * np.abs(noise)
    return np.float32(0.1) * noise
