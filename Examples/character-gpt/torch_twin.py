"""The same training in PyTorch: the initial weights, the batches and the rates of a record, its losses side by side.

    python torch_twin.py RECORD.npz [--svg curves.svg] [--tolerance 0.02] [--threads 1]

RECORD.npz is what `example-character-gpt --record` writes. Exits with 1 where the last loss on the held-out text differs
from Apus's by more than the tolerance, as a share. Prints what the example prints. More than one thread only pays where
nothing else runs: PyTorch's threads wait for each other busily.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F


class GPT:
    """The network from PyTorch's own functions, over the parameters of the record by their names."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.context, self.heads = map(int, arrays["shape"])
        self.parameters = {
            key.removeprefix("parameter/"): torch.tensor(value, requires_grad=True)
            for key, value in arrays.items() if key.startswith("parameter/")
        }
        self.layers = len({name.split("/")[0] for name in self.parameters if name.startswith("block_")})

    def dense(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return x @ self.parameters[f"{name}/kernel"] + self.parameters[f"{name}/bias"]

    def norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return F.layer_norm(x, x.shape[-1:], self.parameters[f"{name}/gamma"], self.parameters[f"{name}/beta"], 1e-5)

    def attention(self, x: torch.Tensor, name: str) -> torch.Tensor:
        def split(part: str) -> torch.Tensor:
            return self.dense(x, f"{name}/{part}").unflatten(-1, (self.heads, -1)).transpose(1, 2)

        def turned(x: torch.Tensor) -> torch.Tensor:
            """Rotary positions, where there is no table of them: elements i and i + size/2 of a head turn together."""
            if "position_embedding/embeddings" in self.parameters:
                return x
            half = x.shape[-1] // 2
            angle = torch.arange(x.shape[-2], dtype=x.dtype)[:, None] / 10_000 ** (torch.arange(half, dtype=x.dtype) / half)
            a, b = x.split(half, -1)
            return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)

        y = F.scaled_dot_product_attention(turned(split("query")), turned(split("key")), split("value"), is_causal=True)
        return self.dense(y.transpose(1, 2).flatten(2), f"{name}/output")

    def __call__(self, tokens: torch.Tensor) -> torch.Tensor:
        table = self.parameters["token_embedding/embeddings"]
        x = table[tokens]
        if "position_embedding/embeddings" in self.parameters:
            x = x + self.parameters["position_embedding/embeddings"][: tokens.shape[1]]
        for layer in range(self.layers):
            block = f"block_{layer}"
            x = x + self.attention(self.norm(x, f"{block}/attention_norm"), f"{block}/attention")
            inner = F.gelu(self.dense(self.norm(x, f"{block}/feed_forward_norm"), f"{block}/expand"), approximate="tanh")
            x = x + self.dense(inner, f"{block}/contract")
        return self.norm(x, "final_norm") @ table.T

    def loss(self, tokens: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(self(tokens).flatten(0, 1), targets.flatten())

    @torch.inference_mode()
    def mean_loss(self, tokens: torch.Tensor, targets: torch.Tensor) -> float:
        """Of all windows, by batches of 64 as the example evaluates them."""
        parts = [self.loss(a, b).item() * len(a) for a, b in zip(tokens.split(64), targets.split(64))]
        return sum(parts) / len(tokens)


def windows(tokens: np.ndarray, context: int) -> tuple[torch.Tensor, torch.Tensor]:
    count = (len(tokens) - context + context - 1) // context
    rows = np.arange(count)[:, None] * context + np.arange(context)
    return torch.tensor(tokens[rows], dtype=torch.int64), torch.tensor(tokens[rows + 1], dtype=torch.int64)


def train(arrays: dict[str, np.ndarray]) -> tuple[list[float], list[tuple[int, float]]]:
    """The loss of every step, and that of the held-out text after the steps of the record."""
    network = GPT(arrays)
    tokens = arrays["tokens"]
    held = len(tokens) - len(tokens) // 10
    x, y = windows(tokens[:held], network.context)
    validation = windows(tokens[held:], network.context)
    kernels = [p for name, p in network.parameters.items() if p.ndim >= 2 and not name.endswith("/embeddings")]
    others = [p for p in network.parameters.values() if all(p is not kernel for kernel in kernels)]
    optimizer = torch.optim.AdamW(
        [{"params": kernels, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], betas=(0.9, 0.99), eps=1e-8
    )
    steps_to_measure = {int(step) for step, _ in arrays["validation"]}
    losses, measured, recent = [], [], 0.0
    for step, (rows, rate) in enumerate(zip(arrays["batches"], arrays["rates"]), 1):
        for group in optimizer.param_groups:
            group["lr"] = float(rate)
        optimizer.zero_grad()
        loss = network.loss(x[rows.astype(np.int64)], y[rows.astype(np.int64)])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(network.parameters.values()), 1.0)
        optimizer.step()
        losses.append(loss.item())
        recent = 0.98 * recent + 0.02 * losses[-1] if recent else losses[-1]
        if step in steps_to_measure:
            measured.append((step, network.mean_loss(*validation)))
            print(f"step {step}  loss {recent:.4f}  held out {measured[-1][1]:.4f}", flush=True)
    return losses, measured


def svg(curves: dict[str, list[tuple[float, float]]]) -> str:
    """Loss over steps, a line for each curve."""
    width, height, margin = 640, 360, 48
    points = [point for curve in curves.values() for point in curve]
    right, low, high = max(x for x, _ in points), min(y for _, y in points), max(y for _, y in points)

    def place(x: float, y: float) -> str:
        return (f"{margin + x / right * (width - 2 * margin):.1f},"
                f"{height - margin - (y - low) / (high - low) * (height - 2 * margin):.1f}")

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="white"/>']
    for share in (0, 0.25, 0.5, 0.75, 1):
        value = low + share * (high - low)
        y = place(0, value).split(",")[1]
        lines.append(f'<path d="M{margin},{y}H{width - margin}" stroke="#ddd"/><text x="8" y="{y}">{value:.2f}</text>')
        lines.append(f'<text x="{place(share * right, low).split(",")[0]}" y="{height - 24}">{share * right:.0f}</text>')
    colors = ["#c33", "#36c", "#e99", "#9be"]
    for color, (name, curve) in zip(colors, curves.items()):
        lines.append(f'<polyline fill="none" stroke="{color}" stroke-width="1.5" points="{" ".join(place(*p) for p in curve)}"/>')
        lines.append(f'<text x="{width - 220}" y="{24 + 16 * list(curves).index(name)}" fill="{color}">{name}</text>')
    return "\n".join([*lines, f'<text x="{width / 2 - 16}" y="{height - 6}">steps</text>', "</svg>", ""])


def smoothed(losses: list[float], step: int = 20) -> list[tuple[float, float]]:
    """Means of as many steps."""
    return [(i + step, float(np.mean(losses[i : i + step]))) for i in range(0, len(losses) - step + 1, step)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("record", type=Path)
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--tolerance", type=float, default=0.02)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with np.load(options.record) as file:
        arrays = dict(file)
    losses, measured = train(arrays)
    own = [(float(step), float(loss)) for step, loss in arrays["validation"]]
    if options.svg:
        options.svg.write_text(svg({
            "Apus, held out": own, "PyTorch, held out": [(float(s), loss) for s, loss in measured],
            "Apus, training": smoothed(list(arrays["losses"])), "PyTorch, training": smoothed(losses),
        }))
    difference = abs(own[-1][1] / measured[-1][1] - 1)
    print(f"held out: Apus {own[-1][1]:.4f}, PyTorch {measured[-1][1]:.4f}, {100 * difference:.2f} % apart")
    sys.exit(difference > options.tolerance)


if __name__ == "__main__":
    main()
