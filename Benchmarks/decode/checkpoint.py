"""A checkpoint of GPT-2's shape (124 million weights, drawn from a seed), as `transformers` would save it."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Shape:
    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12

    @property
    def weight_bytes(self) -> int:
        """Weights of f32 that the next token needs: all but the tables' other rows."""
        block = 12 * self.n_embd**2 + 13 * self.n_embd
        return 4 * (self.n_layer * block + self.vocab_size * self.n_embd)

    def cache_bytes(self, tokens: int) -> int:
        """Keys and values of f32 that a token after so many reads."""
        return 4 * 2 * self.n_layer * self.n_embd * tokens


def weights(shape: Shape, seed: int = 0) -> dict[str, np.ndarray]:
    random, width = np.random.default_rng(seed), shape.n_embd
    tensors = {}

    def draw(name: str, *extents: int) -> None:
        tensors[name] = 0.02 * random.standard_normal(extents, dtype=np.float32)

    draw("wte.weight", shape.vocab_size, width)
    draw("wpe.weight", shape.n_positions, width)
    for layer in range(shape.n_layer):
        for part, rows, columns in (
            ("attn.c_attn", width, 3 * width), ("attn.c_proj", width, width),
            ("mlp.c_fc", width, 4 * width), ("mlp.c_proj", 4 * width, width),
        ):
            draw(f"h.{layer}.{part}.weight", rows, columns)
            draw(f"h.{layer}.{part}.bias", columns)
    for norm in [f"h.{layer}.ln_{i}" for layer in range(shape.n_layer) for i in (1, 2)] + ["ln_f"]:
        tensors[f"{norm}.weight"], tensors[f"{norm}.bias"] = np.ones(width, np.float32), np.zeros(width, np.float32)
    return tensors


def write(folder: Path, shape: Shape, tensors: dict[str, np.ndarray]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    header, offset = {}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.tobytes())
    config = {"model_type": "gpt2", "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, **asdict(shape)}
    (folder / "config.json").write_text(json.dumps(config))
