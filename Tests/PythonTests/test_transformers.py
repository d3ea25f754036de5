"""Attention and the blocks of transformers against PyTorch and Keras: outputs and every gradient.

`swift test --filter testTransformerOracleFilesAreWritten` writes build/oracle/layers/NAME.npz; here each network is built again
from the frameworks' own layers, with the weights copied across. |found − wanted| ≤ 1e-4·|wanted| + 1e-4·s with s the root
mean square of the wanted tensor, 0.1 at least: the gradient of a key's bias is 0, for it moves all scores of a query alike.

Neither framework is part of Apus: scripts/requirements-oracle.txt installs them for `make test-all`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -r scripts/requirements-oracle.txt")
F = torch.nn.functional

ROOT = Path(__file__).resolve().parents[2]
ORACLE = ROOT / "build" / "oracle" / "layers"
RTOL = 1e-4
Arrays = dict[str, np.ndarray]


def load(name: str) -> Arrays:
    path = ORACLE / f"{name}.npz"
    assert path.exists(), f"no {path.name}: run swift test --filter testTransformerOracleFilesAreWritten"
    with np.load(path) as file:
        return dict(file)


def check(found: np.ndarray, wanted: np.ndarray, what: str) -> None:
    assert found.shape == wanted.shape, what
    scale = max(0.1, float(np.sqrt(np.mean(wanted**2))))
    np.testing.assert_allclose(found, wanted, rtol=RTOL, atol=RTOL * scale, err_msg=what)


def part(arrays: Arrays, prefix: str) -> Arrays:
    return {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}


# ---- PyTorch -------------------------------------------------------------------------------------------------------


class Torch:
    """Inputs and parameters of a file in f64, floats of them with gradients."""

    def __init__(self, arrays: Arrays) -> None:
        def tensor(value: np.ndarray) -> Any:
            floats = value.dtype.kind == "f"
            return torch.tensor(value, dtype=torch.float64 if floats else torch.int64, requires_grad=floats)

        self.inputs = {name: tensor(value) for name, value in part(arrays, "input/").items()}
        self.parameters = {name: tensor(value) for name, value in part(arrays, "parameter/").items()}

    def dense(self, x: Any, name: str) -> Any:
        y = x @ self.parameters[f"{name}/kernel"]
        return y + self.parameters[f"{name}/bias"] if f"{name}/bias" in self.parameters else y

    def norm(self, x: Any, name: str) -> Any:
        gamma = self.parameters[f"{name}/gamma"]
        if f"{name}/beta" not in self.parameters:
            return F.rms_norm(x, gamma.shape, gamma, 1e-5)
        return F.layer_norm(x, gamma.shape, gamma, self.parameters[f"{name}/beta"], 1e-5)

    def padding(self) -> Any:
        """[batch, keys], true where one is; None without padding."""
        if "mask" in self.inputs:
            return self.inputs["mask"] != 0
        if "lengths" in self.inputs:
            return torch.arange(self.inputs["memory"].shape[1]) < self.inputs["lengths"][:, None]
        return None

    def attention(self, x: Any, memory: Any, heads: int, name: str = "attention", kv: int | None = None, causal: bool = False,
                  padding: Any = None, turn: Callable = lambda x: x) -> Any:
        def split(x: Any, part: str, count: int) -> Any:
            return self.dense(x, f"{name}/{part}").unflatten(-1, (count, -1)).transpose(1, 2)

        q, k, v = split(x, "query", heads), split(memory, "key", kv or heads), split(memory, "value", kv or heads)
        allowed = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool)
        if causal:
            allowed = allowed.tril()
        if padding is not None:
            allowed = allowed & padding[:, None, None, :]
        y = F.scaled_dot_product_attention(turn(q), turn(k), v, attn_mask=allowed, enable_gqa=kv is not None)
        return self.dense(y.transpose(1, 2).flatten(2), f"{name}/output")


def turned(x: Any) -> Any:
    """Rotary positions by complex numbers: elements i and i + size/2 are one."""
    half = x.shape[-1] // 2
    angle = torch.arange(x.shape[-2])[:, None] / 10_000 ** (torch.arange(half) / half)
    z = torch.complex(x[..., :half], x[..., half:]) * torch.polar(torch.ones_like(angle), angle).to(torch.complex128)
    return torch.cat([z.real, z.imag], -1)


def block(t: Torch, x: Any, heads: int, feed_forward: Callable, post: bool = False, causal: bool = False, padding: Any = None,
          memory: Any = None) -> Any:
    def around(x: Any, name: str, body: Callable) -> Any:
        return t.norm(x + body(x), f"block/{name}_norm") if post else x + body(t.norm(x, f"block/{name}_norm"))

    x = around(x, "attention", lambda x: t.attention(x, x, heads, "block/attention", causal=causal, padding=padding))
    if memory is not None:
        x = around(x, "cross_attention", lambda x: t.attention(x, memory, heads, "block/cross_attention"))
    return around(x, "feed_forward", feed_forward)


def plain(t: Torch, activation: Callable) -> Callable:
    return lambda x: t.dense(activation(t.dense(x, "block/expand")), "block/contract")


def swiglu(t: Torch) -> Callable:
    return lambda x: t.dense(F.silu(t.dense(x, "block/gate")) * t.dense(x, "block/expand"), "block/contract")


def gpt(t: Torch) -> Any:
    sys.path.insert(0, str(ROOT / "Examples" / "character-gpt"))
    import torch_twin

    network = torch_twin.GPT.__new__(torch_twin.GPT)
    network.parameters, network.heads, network.layers = t.parameters, 4, 2
    return network(t.inputs["tokens"])


TORCH: dict[str, Callable[[Torch], Any]] = {
    "attention-self": lambda t: t.attention(t.inputs["x"], t.inputs["x"], 4),
    "attention-causal": lambda t: t.attention(t.inputs["x"], t.inputs["x"], 4, causal=True),
    "attention-masked": lambda t: t.attention(t.inputs["x"], t.inputs["x"], 4, padding=t.padding()),
    "attention-masked-causal": lambda t: t.attention(t.inputs["x"], t.inputs["x"], 2, causal=True, padding=t.padding()),
    "attention-cross": lambda t: t.attention(t.inputs["x"], t.inputs["memory"], 4, padding=t.padding()),
    "attention-grouped": lambda t: t.attention(t.inputs["x"], t.inputs["x"], 4, kv=2, causal=True),
    "attention-rotary": lambda t: t.attention(t.inputs["x"], t.inputs["x"], 2, causal=True, turn=turned),
    "encoder": lambda t: block(t, t.inputs["x"], 4, plain(t, F.gelu), padding=t.padding()),
    "encoder-post": lambda t: block(t, t.inputs["x"], 4, plain(t, F.relu), post=True),
    "decoder": lambda t: block(t, t.inputs["x"], 4, plain(t, F.gelu), causal=True, memory=t.inputs["memory"]),
    "llama": lambda t: block(t, t.inputs["x"], 4, swiglu(t), causal=True),
    "gpt": gpt,
}


@pytest.mark.parametrize("name", TORCH)
def test_torch(name: str) -> None:
    arrays = load(name)
    t = Torch(arrays)
    y = TORCH[name](t)
    (y * torch.tensor(arrays["dy"], dtype=torch.float64)).sum().backward()
    check(arrays["y"], y.detach().numpy(), "y")
    for prefix, tensors in (("gradient", t.parameters), ("input_gradient", t.inputs)):
        names = {key for key, tensor in tensors.items() if tensor.requires_grad}
        assert names == set(part(arrays, f"{prefix}/"))
        for key in names:
            check(arrays[f"{prefix}/{key}"], tensors[key].grad.numpy(), f"{prefix} of {key}")


def test_torch_module() -> None:
    """PyTorch's own module, whose projections of queries, keys and values are one matrix."""
    arrays = load("attention-self")
    p = {name: torch.tensor(value) for name, value in part(arrays, "parameter/attention/").items()}
    parts = ("query", "key", "value")
    layer = torch.nn.MultiheadAttention(24, 4, batch_first=True)
    layer.load_state_dict({
        "in_proj_weight": torch.cat([p[f"{name}/kernel"].T for name in parts]),
        "in_proj_bias": torch.cat([p[f"{name}/bias"] for name in parts]),
        "out_proj.weight": p["output/kernel"].T, "out_proj.bias": p["output/bias"],
    })  # fmt: skip
    x = torch.tensor(arrays["input/x"], requires_grad=True)
    y = layer(x, x, x, need_weights=False)[0]
    (y * torch.tensor(arrays["dy"])).sum().backward()
    check(arrays["y"], y.detach().numpy(), "y")
    check(arrays["input_gradient/x"], x.grad.numpy(), "x")
    found = np.concatenate([arrays[f"gradient/attention/{name}/kernel"].T for name in parts])
    check(found, layer.in_proj_weight.grad.numpy(), "kernels")


# ---- Keras ---------------------------------------------------------------------------------------------------------

# Heads, and those of keys and values where fewer; whether it is causal.
KERAS = {
    "attention-self": (4, None, False), "attention-causal": (4, None, True), "attention-masked": (4, None, False),
    "attention-masked-causal": (2, None, True), "attention-cross": (4, None, False), "attention-grouped": (4, 2, True),
}  # fmt: skip


@pytest.mark.parametrize("name", KERAS)
def test_keras(name: str) -> None:
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install -r scripts/requirements-oracle.txt")
    import keras

    arrays = load(name)
    heads, kv, causal = KERAS[name]
    p, inputs = part(arrays, "parameter/attention/"), part(arrays, "input/")
    size = p["query/kernel"].shape[1] // heads
    layer = (keras.layers.MultiHeadAttention(heads, size) if kv is None
             else keras.layers.GroupQueryAttention(size, heads, kv))
    x = tf.Variable(inputs["x"])
    memory = tf.Variable(inputs["memory"]) if "memory" in inputs else x
    layer.build(x.shape, memory.shape)
    names = ("query", "key", "value", "output")
    for variable, values in zip(layer.weights, (p[f"{name}/{leaf}"] for name in names for leaf in ("kernel", "bias"))):
        variable.assign(values.reshape(variable.shape))
    mask = None
    if "mask" in inputs:
        mask = tf.constant(inputs["mask"][:, None, :] != 0)
    elif "lengths" in inputs:
        mask = tf.constant((np.arange(memory.shape[1]) < inputs["lengths"][:, None])[:, None, :])
    with tf.GradientTape() as tape:
        y = layer(x, memory, attention_mask=mask, use_causal_mask=causal)
        total = tf.reduce_sum(y * arrays["dy"])
    wanted = tape.gradient(total, [x, *([memory] if memory is not x else []), *(w.value for w in layer.weights)])
    check(arrays["y"], y.numpy(), "y")
    found = [arrays["input_gradient/x"], *([arrays["input_gradient/memory"]] if memory is not x else [])]
    found += [arrays[f"gradient/attention/{name}/{leaf}"] for name in names for leaf in ("kernel", "bias")]
    for i, (ours, theirs) in enumerate(zip(found, wanted)):
        check(ours, theirs.numpy().reshape(ours.shape), f"gradient {i}")
