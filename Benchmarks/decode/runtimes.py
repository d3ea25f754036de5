"""Language models behind one call: the logits after a token. Each runtime begins with an empty stream."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Protocol

import numpy as np

from .checkpoint import Shape


class Decoder(Protocol):
    def reset(self) -> None: ...
    def step(self, token: int) -> np.ndarray: ...


class Apus:
    def __init__(self, tools: Path, folder: Path, threads: int, quantize: str | None) -> None:
        import apus

        path = folder / f"gpt-{quantize or 'f32'}.apus"
        tool = tools / "convert-model"
        if not path.exists() or path.stat().st_mtime < tool.stat().st_mtime:
            options = ["--quantize", quantize] if quantize else []
            subprocess.run(
                [tool, folder, "-o", path, "--steps", "1", "--context", "1024", "--quiet", *options], check=True,
                stdout=subprocess.DEVNULL)
        self.bytes = path.stat().st_size
        self.session = apus.Model(path).session(threads=threads)
        self.token = self.session.input(0, function="step")
        self.logits = self.session.output(0, function="step")

    def reset(self) -> None:
        self.session.reset_states()

    def step(self, token: int) -> np.ndarray:
        self.token[...] = token
        self.session.execute(function="step")
        return self.logits.reshape(-1)


class PyTorch:
    def __init__(self, shape: Shape, tensors: dict[str, np.ndarray], threads: int, quantize: str | None) -> None:
        import torch

        from .torch_gpt import build

        self.torch, self.shape, self.threads = torch, shape, threads
        self.model = build(shape, tensors)
        if quantize == "int8-dynamic":
            self.model = torch.ao.quantization.quantize_dynamic(self.model, {torch.nn.Linear}, dtype=torch.qint8)
        self.reset()

    def reset(self) -> None:
        size = self.shape.n_embd // self.shape.n_head
        empty = self.torch.zeros(self.shape.n_layer, self.shape.n_head, 0, size)
        self.past, self.position = (empty, empty), 0

    def step(self, token: int) -> np.ndarray:
        self.torch.set_num_threads(self.threads)
        with self.torch.inference_mode():
            logits, *self.past = self.model(self.torch.tensor([token]), self.torch.tensor([self.position]), *self.past)
        self.position += 1
        return logits.numpy().reshape(-1)


class OnnxRuntime:
    def __init__(
        self, shape: Shape, tensors: dict[str, np.ndarray], folder: Path, threads: int, quantize: str | None
    ) -> None:
        import onnxruntime

        path = onnx_file(shape, tensors, folder, quantize)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.shape = shape
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.reset()

    def reset(self) -> None:
        empty = np.zeros((self.shape.n_layer, self.shape.n_head, 0, self.shape.n_embd // self.shape.n_head), np.float32)
        self.past, self.position = (empty, empty), 0

    def step(self, token: int) -> np.ndarray:
        feed = {"token": np.array([token]), "position": np.array([self.position]), "past_k": self.past[0], "past_v": self.past[1]}
        logits, *self.past = self.session.run(None, feed)
        self.position += 1
        return logits.reshape(-1)


def onnx_file(shape: Shape, tensors: dict[str, np.ndarray], folder: Path, quantize: str | None) -> str:
    """ONNX by PyTorch's exporter, quantized by ONNX Runtime's own tools."""
    import torch

    from .torch_gpt import build

    path = folder / "gpt.onnx"
    if not path.exists():
        empty = torch.zeros(shape.n_layer, shape.n_head, 3, shape.n_embd // shape.n_head)
        torch.onnx.export(
            build(shape, tensors), (torch.tensor([1]), torch.tensor([3]), empty, empty), str(path), dynamo=False,
            input_names=["token", "position", "past_k", "past_v"], output_names=["logits", "k", "v"],
            dynamic_axes={name: {2: "tokens"} for name in ("past_k", "past_v", "k", "v")})
    if quantize is None:
        return str(path)
    narrow = folder / f"gpt-{quantize}.onnx"
    if narrow.exists():
        return str(narrow)
    if quantize == "int8-dynamic":
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(path, narrow, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Gemm"])
    else:
        import onnx
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

        # Level 4 computes on int8.
        bits, _, dynamic = quantize.removeprefix("w").partition("-")
        quantizer = MatMulNBitsQuantizer(
            onnx.load(path), block_size=32, is_symmetric=True, bits=int(bits), accuracy_level=4 if dynamic else None)
        quantizer.process()
        onnx.save(quantizer.model.model, narrow)
    return str(narrow)
