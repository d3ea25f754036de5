"""Makes a model's files, each by its runtime's own converter, and the input and result they are checked with.

    python -m bench.convert MODEL RUNTIME

Runs in a process of its own, so that a converter that fails, or never gives its memory back, costs one runtime.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Callable

from .models import INFERENCE
from .network import Network
from .paths import BUILD, TOOLS, package_file

OPSET = 17


def folder(model: str) -> Path:
    return BUILD / "models" / model


def reference(net: Network, out: Path) -> None:
    """input.nhwc, input.nchw (raw) and result.f32: what PyTorch computes, layer by layer."""
    import numpy as np
    import torch

    from .torch_network import TorchNetwork, torch_input

    sample = net.sample()
    image = torch_input(net, sample)
    with torch.inference_mode():
        result = TorchNetwork(net).eval()(image)
    sample.tofile(out / "input.nhwc")
    image.numpy().tofile(out / "input.nchw")
    if net.integer_below:
        sample.astype(np.int32).tofile(out / "input.i32")
    result.numpy().tofile(out / "result.f32")


def onnx(net: Network, out: Path) -> None:
    import torch

    from .torch_network import TorchNetwork, torch_input

    torch.onnx.export(
        TorchNetwork(net).eval(), (torch_input(net, net.sample()),), str(out / "model.onnx"), dynamo=False,
        opset_version=OPSET, input_names=["input"], output_names=["output"])


def apus(net: Network, out: Path) -> None:
    _need(net, out, "onnx", "model.onnx")
    _run([TOOLS / "convert-model", out / "model.onnx", "-o", out / "model.apus"])


def openvino(net: Network, out: Path) -> None:
    import openvino as ov

    _need(net, out, "onnx", "model.onnx")
    ov.save_model(ov.convert_model(out / "model.onnx"), out / "model.xml", compress_to_fp16=False)


def litert(net: Network, out: Path) -> None:
    import tensorflow as tf

    from .keras_network import keras_network

    converter = tf.lite.TFLiteConverter.from_keras_model(keras_network(net, 1))
    (out / "model.tflite").write_bytes(converter.convert())


def pytorch(net: Network, out: Path) -> None:
    import torch

    from .torch_network import TorchNetwork, torch_input

    with torch.inference_mode():
        traced = torch.jit.trace(TorchNetwork(net).eval(), torch_input(net, net.sample()))
        torch.jit.freeze(traced).save(str(out / "model.pt"))


def ncnn(net: Network, out: Path) -> None:
    _need(net, out, "pytorch", "model.pt")
    shape = (1, *net.input_shape[-1:], *net.input_shape[:-1])
    kind = "i64" if net.integer_below else "f32"
    # fp16=0: the weights as they are.
    _run([package_file("pnnx/pnnx"), "model.pt", f"inputshape=[{','.join(map(str, shape))}]{kind}", "fp16=0"], out)


CONVERTERS: dict[str, Callable[[Network, Path], None]] = {
    "reference": reference, "onnxruntime": onnx, "apus": apus, "openvino": openvino, "litert": litert,
    "pytorch": pytorch, "ncnn": ncnn,
}


def _need(net: Network, out: Path, converter: str, file: str) -> None:
    if not (out / file).exists():
        {"onnx": onnx, "pytorch": pytorch}[converter](net, out)


def _run(command: list, directory: Path | None = None) -> None:
    done = subprocess.run(list(map(str, command)), cwd=directory, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise SystemExit(lines[-1] if lines else f"{command[0]}: exit code {done.returncode}")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    model_name, runtime_name = sys.argv[1:]
    target = folder(model_name)
    target.mkdir(parents=True, exist_ok=True)
    CONVERTERS[runtime_name](INFERENCE[model_name](), target)
