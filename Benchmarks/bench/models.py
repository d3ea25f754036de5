"""The table of models: what is timed, each described once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from .network import Network


def mlp(name: str, *widths: int) -> Network:
    net = Network(name, (widths[0],))
    x = net.input
    for units in widths[1:-1]:
        x = net.dense(x, units, activation="relu")
    net.output = net.dense(x, widths[-1])
    return net


def mnist_cnn() -> Network:
    net = Network("mnist-cnn", (28, 28, 1))
    x = net.max_pool(net.conv(net.input, 32, 3, activation="relu"), 2)
    x = net.max_pool(net.conv(x, 64, 3, activation="relu"), 2)
    net.output = net.dense(net.dense(net.flatten(x), 128, activation="relu"), 10)
    return net


def cifar_cnn() -> Network:
    net = Network("cifar-cnn", (32, 32, 3))
    x = net.max_pool(net.conv(net.input, 32, 3, activation="relu"), 2)
    x = net.max_pool(net.conv(x, 64, 3, activation="relu"), 2)
    x = net.flatten(net.conv(x, 64, 3, activation="relu"))
    net.output = net.dense(net.dense(x, 64, activation="relu"), 10)
    return net


def normalized(net: Network, x: int, filters: int, kernel: int, stride: int = 1, groups: int = 1,
               activation: str | None = None) -> int:
    """A convolution that keeps the size (over the stride), without bias, and its normalization."""
    x = net.conv(x, filters, kernel, stride, (kernel - 1) // 2, groups, bias=False)
    return net.activation(net.batch_norm(x), activation)


def cifar_resnet() -> Network:
    """ModelLibrary.cifarResNet: three widths, two blocks each."""
    net = Network("cifar-resnet", (32, 32, 3))
    x = normalized(net, net.input, 16, 3, activation="relu")
    for width in (16, 32, 64):
        for block in range(2):
            enters = width > 16 and block == 0
            stride = 2 if enters else 1
            y = normalized(net, normalized(net, x, width, 3, stride, activation="relu"), width, 3)
            x = net.activation(net.add(y, normalized(net, x, width, 1, stride) if enters else x), "relu")
    net.output = net.dense(net.global_avg_pool(x), 10)
    return net


def resnet(name: str, blocks: tuple[int, ...], bottleneck: bool) -> Network:
    """He, Zhang, Ren, Sun (2015); the stride of a bottleneck is at its 3 x 3 convolution."""
    net = Network(name, (224, 224, 3))
    x = net.max_pool(normalized(net, net.input, 64, 7, 2, activation="relu"), 3, 2, 1)
    for stage, count in enumerate(blocks):
        width = 64 << stage
        for block in range(count):
            stride = 2 if stage and block == 0 else 1
            if bottleneck:
                y = normalized(net, x, width, 1, activation="relu")
                y = normalized(net, y, width, 3, stride, activation="relu")
                y = normalized(net, y, 4 * width, 1)
            else:
                y = normalized(net, normalized(net, x, width, 3, stride, activation="relu"), width, 3)
            if net.shape(x) != net.shape(y):
                x = normalized(net, x, net.shape(y)[-1], 1, stride)
            x = net.activation(net.add(y, x), "relu")
    net.output = net.dense(net.global_avg_pool(x), 1000)
    return net


def vgg16() -> Network:
    net = Network("vgg16", (224, 224, 3))
    x = net.input
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            x = net.conv(x, width, 3, padding=1, activation="relu")
        x = net.max_pool(x, 2)
    x = net.dense(net.dense(net.flatten(x), 4096, activation="relu"), 4096, activation="relu")
    net.output = net.dense(x, 1000)
    return net


def mobilenet_v2() -> Network:
    """Sandler and others (2018), width 1."""
    net = Network("mobilenet_v2", (224, 224, 3))
    x = normalized(net, net.input, 32, 3, 2, activation="relu6")
    for expansion, width, count, first_stride in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)
    ):
        for block in range(count):
            stride, channels = first_stride if block == 0 else 1, net.shape(x)[-1]
            inner = expansion * channels
            y = normalized(net, x, inner, 1, activation="relu6") if expansion > 1 else x
            y = normalized(net, y, inner, 3, stride, groups=inner, activation="relu6")
            y = normalized(net, y, width, 1)
            x = net.add(x, y) if stride == 1 and channels == width else y
    x = normalized(net, x, 1280, 1, activation="relu6")
    net.output = net.dense(net.global_avg_pool(x), 1000)
    return net


def efficientnet_b0() -> Network:
    """Tan and Le (2019), with squeeze and excitation."""
    net = Network("efficientnet_b0", (224, 224, 3))
    x = normalized(net, net.input, 32, 3, 2, activation="silu")
    for expansion, kernel, first_stride, width, count in (
        (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
        (6, 3, 1, 320, 1)
    ):
        for block in range(count):
            stride, channels = first_stride if block == 0 else 1, net.shape(x)[-1]
            inner = expansion * channels
            y = normalized(net, x, inner, 1, activation="silu") if expansion > 1 else x
            y = normalized(net, y, inner, kernel, stride, groups=inner, activation="silu")
            gate = net.conv(net.global_avg_pool(y, keep=True), max(1, channels // 4), 1, activation="silu")
            y = net.scale(y, net.conv(gate, inner, 1, activation="sigmoid"))
            y = normalized(net, y, width, 1)
            x = net.add(x, y) if stride == 1 and channels == width else y
    x = normalized(net, x, 1280, 1, activation="silu")
    net.output = net.dense(net.global_avg_pool(x), 1000)
    return net


def self_attention(net: Network, x: int, heads: int, causal: bool = False) -> int:
    width = net.shape(x)[-1]
    return net.dense(net.attention(net.dense(x, width), net.dense(x, width), net.dense(x, width), heads, causal), width)


def feed_forward(net: Network, x: int, activation: str = "gelu") -> int:
    width = net.shape(x)[-1]
    return net.dense(net.dense(x, 4 * width, activation=activation), width)


def vit_b_16() -> Network:
    """Dosovitskiy and others (2020): 12 layers, 768 wide, 12 heads, patches of 16 x 16."""
    net = Network("vit_b_16", (224, 224, 3))
    x = net.positions(net.tokens(net.conv(net.input, 768, 16, 16)))
    for _ in range(12):
        x = net.add(x, self_attention(net, net.layer_norm(x), 12))
        x = net.add(x, feed_forward(net, net.layer_norm(x)))
    net.output = net.dense(net.first_token(net.layer_norm(x)), 1000)
    return net


def minilm() -> Network:
    """The shape of all-MiniLM-L6-v2 on 128 tokens: 6 layers, 384 wide, 12 heads; the mean token is the embedding."""
    net = Network("minilm", (128,), integer_below=30522)
    x = net.layer_norm(net.positions(net.embedding(net.input, 30522, 384)), 1e-12)
    for _ in range(6):
        x = net.layer_norm(net.add(x, self_attention(net, x, 12)), 1e-12)
        x = net.layer_norm(net.add(x, feed_forward(net, x)), 1e-12)
    net.output = net.mean_token(x)
    return net


def recurrent(cell: str) -> Network:
    """Two layers of 64 over 100 steps of 64 numbers; every step of the last."""
    net = Network(f"{cell}-2x64-100", (100, 64))
    net.output = net.flatten(net.recurrent(net.recurrent(net.input, cell, 64), cell, 64))
    return net


def text_classifier(cell: str) -> Network:
    """ModelLibrary.textClassifier on 100 words."""
    net = Network(f"text-{cell}", (100,), integer_below=10_000)
    x = net.recurrent(net.embedding(net.input, 10_000, 64), cell, 64, dropout=0.1)
    net.output = net.dense(net.dense(net.recurrent(x, cell, 64, sequences=False), 64, activation="relu"), 1)
    return net


def gpt(layers: int, width: int, heads: int, context: int, vocabulary: int) -> Network:
    """ModelLibrary.gpt: the norm before each part, scores by the embedding's table."""
    net = Network(f"gpt-{layers}-{width}", (context,), integer_below=vocabulary)
    embedding = net.embedding(net.input, vocabulary, width)
    x = net.positions(embedding)
    for _ in range(layers):
        x = net.add(x, self_attention(net, net.layer_norm(x, 1e-5), heads, causal=True))
        x = net.add(x, feed_forward(net, net.layer_norm(x, 1e-5), "gelu_tanh"))
    net.output = net.tied(net.layer_norm(x, 1e-5), embedding)
    return net


INFERENCE: dict[str, Callable[[], Network]] = {
    "mlp-10-64-64-1": lambda: mlp("mlp-10-64-64-1", 10, 64, 64, 1),
    "mlp-784-1024-1024-10": lambda: mlp("mlp-784-1024-1024-10", 784, 1024, 1024, 10),
    "mnist-cnn": mnist_cnn,
    "cifar-cnn": cifar_cnn,
    "resnet18": lambda: resnet("resnet18", (2, 2, 2, 2), False),
    "resnet50": lambda: resnet("resnet50", (3, 4, 6, 3), True),
    "vgg16": vgg16,
    "mobilenet_v2": mobilenet_v2,
    "efficientnet_b0": efficientnet_b0,
    "vit_b_16": vit_b_16,
    "minilm": minilm,
    "gru-2x64-100": lambda: recurrent("gru"),
    "lstm-2x64-100": lambda: recurrent("lstm"),
}


@dataclass(frozen=True)
class Training:
    """A training step: the network, what `apus bench-training` calls it, and the batch. Adam at a rate of 0.001;
    cross-entropy of logits where there are several outputs, otherwise the mean squared error."""

    build: Callable[[], Network]
    apus_network: str
    batch: int


TRAINING: dict[str, Training] = {
    "mlp-10-64-64-1 batch 32": Training(INFERENCE["mlp-10-64-64-1"], "mlp:64,64", 32),
    "mlp-784-128-10 batch 32": Training(lambda: mlp("mlp-784-128-10", 784, 128, 10), "mlp:128", 32),
    "mnist-cnn batch 32": Training(mnist_cnn, "mnist-cnn", 32),
    "mnist-cnn batch 128": Training(mnist_cnn, "mnist-cnn", 128),
    "cifar-cnn batch 32": Training(cifar_cnn, "cifar-cnn", 32),
    "cifar-cnn batch 128": Training(cifar_cnn, "cifar-cnn", 128),
    "cifar-resnet batch 64": Training(cifar_resnet, "cifar-resnet", 64),
    "text-gru batch 32": Training(lambda: text_classifier("gru"), "text-gru:10000", 32),
    "text-lstm batch 32": Training(lambda: text_classifier("lstm"), "text-lstm:10000", 32),
    "gpt-4-128 batch 12": Training(lambda: gpt(4, 128, 4, 64, 65), "gpt:4,128,4", 12),
}
