"""A described network as a PyTorch module. Images are channels-first, as PyTorch has them."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .network import Network, Node

ACTIVATIONS = {
    "relu": F.relu, "relu6": F.relu6, "silu": F.silu, "sigmoid": torch.sigmoid, "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
}


class TorchNetwork(nn.Module):
    def __init__(self, net: Network, weighted: bool = True) -> None:
        """weighted: with the network's own weights instead of PyTorch's initial ones."""
        super().__init__()
        self.steps: list[tuple[Node, nn.Module | None]] = []
        self.output = net.output
        self.layers = nn.ModuleList()
        drawn = net.weights() if weighted else None
        for node in net.nodes[1:]:
            layer = self.tied(node) if node.op == "tied" else _layer(net, node)
            if layer is not None:
                self.layers.append(layer)
                if drawn and node.weights:
                    _load(layer, _torch_weights(net, node, drawn[node.index]))
            self.steps.append((node, layer))

    def tied(self, node: Node) -> nn.Module:
        """A product with the table of an embedding."""
        embedding = next(layer for other, layer in self.steps if other.index == node.attributes["embedding"])
        layer = nn.Linear(*reversed(embedding.weight.shape), bias=False)
        layer.weight = embedding.weight
        return layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = {0: x}
        for node, layer in self.steps:
            inputs = [values[i] for i in node.inputs]
            values[node.index] = layer(*inputs) if layer is not None else _apply(node, *inputs)
        return values[self.output]


class Table(nn.Module):
    """A learned tensor: added to each sample, or put before its tokens."""

    def __init__(self, shape: tuple[int, ...], prepended: bool) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(1, *shape))
        self.prepended = prepended

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.prepended:
            return x + self.table
        return torch.cat([self.table.expand(x.shape[0], -1, -1), x.flatten(2).transpose(1, 2)], 1)


class Recurrent(nn.Module):
    """A layer over time whose input channels are dropped in training, the same ones at every step."""

    def __init__(self, channels: int, a: dict) -> None:
        super().__init__()
        kind = {"gru": nn.GRU, "lstm": nn.LSTM}[a["cell"]]
        self.layer, self.sequences = kind(channels, a["units"], batch_first=True), a["sequences"]
        self.dropout = nn.Dropout(a["dropout"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.dropout.p:
            x = x * self.dropout(torch.ones_like(x[:, :1]))
        y, _ = self.layer(x)
        return y if self.sequences else y[:, -1]


def torch_input(net: Network, x: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if len(net.input_shape) == 3 else x)


def _layer(net: Network, node: Node) -> nn.Module | None:
    a, channels = node.attributes, net.shape(node.inputs[0])[-1] if net.shape(node.inputs[0]) else 0
    match node.op:
        case "conv":
            return nn.Conv2d(channels, node.shape[-1], a["kernel"], a["stride"], a["padding"], groups=a["groups"],
                             bias="bias" in node.weights)
        case "dense":
            return nn.Linear(channels, node.shape[-1], bias="bias" in node.weights)
        case "batch_norm":
            return nn.BatchNorm2d(channels, eps=a["epsilon"])
        case "layer_norm":
            return nn.LayerNorm(channels, eps=a["epsilon"])
        case "embedding":
            return nn.Embedding(*node.weights["table"])
        case "recurrent":
            return Recurrent(channels, a)
        case "positions":
            return Table(node.shape, False)
        case "tokens":
            return Table((1, channels), True)
    return None


def _apply(node: Node, x: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
    a = node.attributes
    match node.op:
        case "activation":
            return ACTIVATIONS[a["function"]](x)
        case "max_pool":
            return F.max_pool2d(x, a["size"], a["stride"], a["padding"])
        case "global_avg_pool":
            x = F.adaptive_avg_pool2d(x, 1)
            return x if a["keep"] else x.flatten(1)
        case "flatten":
            return x.flatten(1)
        case "add":
            return x + others[0]
        case "scale":
            return x * others[0]
        case "first_token":
            return x[:, 0]
        case "mean_token":
            return x.mean(1)
        case "attention":
            tokens, width = node.shape
            heads = a["heads"]
            q, k, v = (t.reshape(-1, tokens, heads, width // heads).transpose(1, 2) for t in (x, *others))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=a["causal"])
            return y.transpose(1, 2).reshape(-1, tokens, width)
    raise ValueError(f"no PyTorch layer for '{node.op}'")


def _torch_weights(net: Network, node: Node, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same weights under PyTorch's names and in its layouts."""
    match node.op:
        case "conv":
            result = {"weight": weights["kernel"].transpose(3, 2, 0, 1)}
        case "dense":
            kernel = weights["kernel"]
            source = net.nodes[node.inputs[0]]
            if source.op == "flatten" and len(net.shape(source.inputs[0])) == 3:
                height, width, channels = net.shape(source.inputs[0])
                kernel = kernel.reshape(height, width, channels, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
            result = {"weight": kernel.T}
        case "batch_norm":
            return {"weight": weights["gamma"], "bias": weights["beta"], "running_mean": weights["mean"],
                    "running_var": weights["variance"]}
        case "layer_norm":
            return {"weight": weights["gamma"], "bias": weights["beta"]}
        case "embedding":
            return {"weight": weights["table"]}
        case "recurrent":
            inner = np.zeros_like(weights["bias"])
            if "recurrent_bias" in weights:
                inner[-len(weights["recurrent_bias"]):] = weights["recurrent_bias"]
            return {"layer.weight_ih_l0": weights["kernel"].T, "layer.weight_hh_l0": weights["recurrent"].T,
                    "layer.bias_ih_l0": weights["bias"], "layer.bias_hh_l0": inner}
        case _:
            (values,) = weights.values()
            return {"table": values.reshape(1, -1, values.shape[-1])}
    return result | ({"bias": weights["bias"]} if "bias" in weights else {})


def _load(layer: nn.Module, weights: dict[str, np.ndarray]) -> None:
    tensors = {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in weights.items()}
    if isinstance(layer, nn.BatchNorm2d):
        tensors["num_batches_tracked"] = layer.num_batches_tracked
    layer.load_state_dict(tensors)


def parameter_count(module: nn.Module) -> int:
    return sum(math.prod(p.shape) for p in module.parameters())
