"""Makes a model's files, each by its runtime's own converter, and the input and result they are checked with.

    python -m bench.convert MODEL CONVERTER

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


def pytorch(net: Network, out: Path) -> None:
    """model.onnx and model.pt, and what all are checked with: input.nhwc, input.nchw, input.i32 (raw bytes) and
    result.f32, which PyTorch computes layer by layer."""
    import numpy as np
    import torch

    from .torch_network import TorchNetwork, torch_input

    sample = net.sample()
    x = torch_input(net, sample)
    module = TorchNetwork(net).eval()
    with torch.inference_mode():
        module(x).numpy().tofile(out / "result.f32")
    sample.tofile(out / "input.nhwc")
    x.numpy().tofile(out / "input.nchw")
    if net.integer_below:
        sample.astype(np.int32).tofile(out / "input.i32")
    torch.onnx.export(module, (x,), str(out / "model.onnx"), dynamo=False, opset_version=OPSET, input_names=["input"],
                      output_names=["output"])
    with torch.no_grad():
        torch.jit.freeze(torch.jit.trace(module, x)).save(str(out / "model.pt"))


def apus(net: Network, out: Path) -> None:
    _run([TOOLS / "convert-model", out / "model.onnx", "-o", out / "model.apus"])


def openvino(net: Network, out: Path) -> None:
    import openvino as ov

    ov.save_model(ov.convert_model(out / "model.onnx"), out / "model.xml", compress_to_fp16=False)


def litert(net: Network, out: Path) -> None:
    import tensorflow as tf

    from .keras_network import keras_network

    converter = tf.lite.TFLiteConverter.from_keras_model(keras_network(net, 1))
    (out / "model.tflite").write_bytes(converter.convert())


def ncnn(net: Network, out: Path) -> None:
    shape = (1, *net.input_shape[-1:], *net.input_shape[:-1])
    kind = "i64" if net.integer_below else "f32"
    # fp16=0: the weights as they are.
    _run([package_file("pnnx/pnnx"), "model.pt", f"inputshape=[{','.join(map(str, shape))}]{kind}", "fp16=0"], out)


# The first makes what some others read.
CONVERTERS: dict[str, Callable[[Network, Path], None]] = {
    "pytorch": pytorch, "apus": apus, "openvino": openvino, "litert": litert, "ncnn": ncnn,
}


def _run(command: list, directory: Path | None = None) -> None:
    done = subprocess.run(list(map(str, command)), cwd=directory, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise SystemExit(lines[-1] if lines else f"{command[0]}: exit code {done.returncode}")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    model_name, converter = sys.argv[1:]
    target = folder(model_name)
    target.mkdir(parents=True, exist_ok=True)
    CONVERTERS[converter](INFERENCE[model_name](), target)
