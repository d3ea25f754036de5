"""The same network in PyTorch, a token at a time, with keys and values in memory that is made once."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .checkpoint import Shape


class Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.n_embd
        self.heads = shape.n_head
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc, self.proj = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor, past_k: torch.Tensor, past_v: torch.Tensor):
        """x [1, width]; past [heads, tokens, size]. Returns x and the keys and values with this token's."""
        q, k, v = self.qkv(self.ln_1(x)).view(3, self.heads, 1, -1)
        k, v = torch.cat((past_k, k), 1), torch.cat((past_v, v), 1)
        mixed = F.scaled_dot_product_attention(q[None], k[None], v[None])[0]
        x = x + self.out(mixed.reshape(1, -1))
        return x + self.proj(F.gelu(self.fc(self.ln_2(x)), approximate="tanh")), k, v


class Gpt(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(shape.vocab_size, shape.n_embd), nn.Embedding(shape.n_positions, shape.n_embd)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.n_layer))
        self.ln_f = nn.LayerNorm(shape.n_embd)
        self.head = nn.Linear(shape.n_embd, shape.vocab_size, bias=False)

    def forward(self, token: torch.Tensor, position: torch.Tensor, past_k: torch.Tensor, past_v: torch.Tensor):
        """token, position [1]; past [layers, heads, tokens, size]. Returns logits [1, vocabulary] and what is past now."""
        x = self.wte(token) + self.wpe(position)
        keys, values = [], []
        for layer, block in enumerate(self.blocks):
            x, k, v = block(x, past_k[layer], past_v[layer])
            keys.append(k)
            values.append(v)
        return self.head(self.ln_f(x)), torch.stack(keys), torch.stack(values)


def build(shape: Shape, tensors: dict[str, np.ndarray]) -> Gpt:
    model = Gpt(shape)
    names = {"ln_1": "ln_1", "ln_2": "ln_2", "qkv": "attn.c_attn", "out": "attn.c_proj", "fc": "mlp.c_fc", "proj": "mlp.c_proj"}
    state = {"wte.weight": tensors["wte.weight"], "wpe.weight": tensors["wpe.weight"], "head.weight": tensors["wte.weight"]}
    for leaf in ("weight", "bias"):
        state[f"ln_f.{leaf}"] = tensors[f"ln_f.{leaf}"]
        for layer in range(shape.n_layer):
            for ours, theirs in names.items():
                tensor = tensors[f"h.{layer}.{theirs}.{leaf}"]
                state[f"blocks.{layer}.{ours}.{leaf}"] = tensor.T.copy() if tensor.ndim == 2 else tensor
    model.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in state.items()})
    return model.eval()
