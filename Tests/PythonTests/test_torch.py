"""Whole networks against PyTorch: forward, loss, every gradient and every moving statistic of the same batch.

`swift test --filter testOracleFilesAreWritten` writes build/oracle/NETWORK.npz; here each network is built again from
PyTorch's own functions. |found − wanted| ≤ 1e-4·|wanted| + 1e-4·s with s the root mean square of the wanted tensor,
beside which single elements near 0 are only as exact as the sums they come from.

PyTorch is no part of Apus: scripts/requirements-oracle.txt installs it for `make test-all`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -r scripts/requirements-oracle.txt")
F = torch.nn.functional

ORACLE = Path(__file__).resolve().parents[2] / "build" / "oracle"
RTOL = 1e-4


class Network:
    """Layers that take their parameters, kind by kind, in the order of the file. Images are [N, C, H, W]."""

    def __init__(self, arrays: dict[str, np.ndarray], training: bool) -> None:
        self.training, self.parameters, self.moving = training, {}, {}
        self._next: dict[str, list[str]] = {}
        for key, value in arrays.items():
            if key.startswith("parameter/"):
                name = key.removeprefix("parameter/")
                self.parameters[name] = torch.tensor(value, dtype=torch.float64, requires_grad=True)
                layer = name.split("/")[0]
                kind = layer.rstrip("0123456789").rstrip("_") if "_" in layer else layer
                if layer not in self._next.setdefault(kind, []):
                    self._next[kind].append(layer)

    def take(self, kind: str) -> str:
        return self._next[kind].pop(0)

    def dense(self, x):
        layer = self.take("dense")
        return x @ self.parameters[f"{layer}/kernel"] + self.parameters[f"{layer}/bias"]

    def conv(self, x, stride: int = 1, same: bool = False):
        layer = self.take("conv2d")
        kernel = self.parameters[f"{layer}/kernel"].permute(3, 2, 0, 1)
        if same:
            pads = []
            for extent, size in zip(reversed(x.shape[2:]), reversed(kernel.shape[2:])):
                missing = max((-(-extent // stride) - 1) * stride + size - extent, 0)
                pads += [missing // 2, missing - missing // 2]
            x = F.pad(x, pads)
        return F.conv2d(x, kernel, self.parameters.get(f"{layer}/bias"), stride=stride)

    def norm(self, x, momentum: float, epsilon: float):
        layer = self.take("batchnorm")
        gamma, beta, mean, variance = (
            self.parameters[f"{layer}/{name}"] for name in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        if self.training:
            batch = torch.var_mean(x, dim=(0, 2, 3), correction=0)[::-1]
            for name, old, new in zip(("moving_mean", "moving_variance"), (mean, variance), batch):
                self.moving[f"{layer}/{name}"] = momentum * old + (1 - momentum) * new
        return F.batch_norm(x, mean.detach(), variance.detach(), gamma, beta, self.training, 0.0, epsilon)


def flat(x):
    """In the order of [N, H, W, C]."""
    return x.permute(0, 2, 3, 1).flatten(1)


def mlp(net: Network, x):
    return net.dense(torch.tanh(net.dense(torch.tanh(net.dense(x)))))


def mnist_cnn(net: Network, x):
    x = F.max_pool2d(F.relu(net.conv(x)), 2)
    x = F.max_pool2d(F.relu(net.conv(x)), 2)
    return net.dense(F.relu(net.dense(flat(x))))


def cifar_cnn(net: Network, x):
    x = F.max_pool2d(F.relu(net.conv(x)), 2)
    x = F.max_pool2d(F.relu(net.conv(x)), 2)
    return net.dense(F.relu(net.dense(flat(F.relu(net.conv(x))))))


def cifar_resnet(net: Network, x):
    def normalized(x, stride: int = 1):
        return net.norm(net.conv(x, stride, same=True), 0.9, 1e-5)

    x = F.relu(normalized(x))
    for stride in (1, 2, 2):
        main = normalized(F.relu(normalized(x, stride)))
        x = F.relu(main + (normalized(x, stride) if stride > 1 else x))
    return net.dense(x.mean(dim=(2, 3)))


def vgg_style(net: Network, x):
    for _ in range(2):
        for _ in range(2):
            x = F.relu(net.norm(net.conv(x, same=True), 0.9, 1e-3))
        x = F.max_pool2d(x, 2)
    return net.dense(F.relu(net.dense(flat(x))))


NETWORKS: dict[str, Callable] = {
    "mlp": mlp, "mnist-cnn": mnist_cnn, "cifar-cnn": cifar_cnn, "cifar-resnet": cifar_resnet, "vgg-style": vgg_style
}  # fmt: skip


def check(found: np.ndarray, wanted: Any, what: str) -> None:
    wanted = wanted.detach().numpy()
    assert found.shape == wanted.shape, what
    scale = float(np.sqrt(np.mean(wanted**2)))
    np.testing.assert_allclose(found, wanted, rtol=RTOL, atol=RTOL * scale, err_msg=what)


@pytest.mark.parametrize("name", NETWORKS)
def test_network(name: str) -> None:
    path = ORACLE / f"{name}.npz"
    assert path.exists(), f"no {path.name}: run swift test --filter testOracleFilesAreWritten"
    with np.load(path) as file:
        arrays = dict(file)
    x = torch.tensor(arrays["x"], dtype=torch.float64)
    x = x.permute(0, 3, 1, 2) if x.dim() == 4 else x

    network = Network(arrays, training=True)
    logits = NETWORKS[name](network, x)
    assert not any(network._next.values()), "layers of the file that the network here lacks"
    loss = F.cross_entropy(logits, torch.tensor(arrays["labels"], dtype=torch.int64))
    loss.backward()
    check(arrays["logits"], logits, "logits")
    check(arrays["loss"], loss, "loss")
    gradients = {key for key in arrays if key.startswith("gradient/")}
    for parameter, value in network.parameters.items():
        if "moving_" in parameter:
            check(arrays[f"moving/{parameter}"], network.moving[parameter], parameter)
        else:
            check(arrays[f"gradient/{parameter}"], value.grad, f"gradient of {parameter}")
            gradients.remove(f"gradient/{parameter}")
    assert not gradients

    with torch.no_grad():
        prediction = NETWORKS[name](Network(arrays, training=False), x)
    check(arrays["prediction"], prediction, "prediction of the exported graph")
