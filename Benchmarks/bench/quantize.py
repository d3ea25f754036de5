"""Makes a model's integer files, each by its runtime's own tool, from the files that convert.py made.

    python -m bench.quantize MODEL TYPE TOOL

All are calibrated with the input that their results are checked with: it is drawn as its network's input is, and the
files are of a batch of one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Callable

import numpy as np

from .convert import _run, folder
from .models import INFERENCE
from .network import Network
from .paths import TOOLS

def channels_first(net: Network, x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(x, -1, 1)) if len(net.input_shape) == 3 else x


def apus(net: Network, kind: str, out: Path) -> None:
    options = ["--quantize", "int8-dynamic" if kind == "int8" and net.integer_below else kind]
    if options[1] == "int8":
        np.savez(out / "calibration.npz", input=channels_first(net, net.sample()))
        options += ["--calibrate", out / "calibration.npz"]
    _run([TOOLS / "convert-model", out / "model.onnx", "-o", out / f"model-{kind}.apus", *options])


def onnxruntime(net: Network, kind: str, out: Path) -> None:
    """QDQ by the static quantizer, or the dynamic one where the input is of tokens; weights alone by its own tool."""
    from onnxruntime import quantization as q
    from onnxruntime.quantization.shape_inference import quant_pre_process

    source, target = out / "model.onnx", out / f"model-{kind}.onnx"
    if kind in ("w8", "w4"):
        import onnx
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

        tool = MatMulNBitsQuantizer(onnx.load(source), bits=int(kind[1]), block_size=32, is_symmetric=True, accuracy_level=1)
        tool.process()
        tool.model.save_model_to_file(str(target))
        return
    prepared = out / "prepared.onnx"
    quant_pre_process(str(source), str(prepared))
    if net.integer_below:
        q.quantize_dynamic(prepared, target, weight_type=q.QuantType.QInt8, per_channel=True)
        return

    class Reader(q.CalibrationDataReader):
        rest = iter([{"input": x[None]} for x in channels_first(net, net.sample())])

        def get_next(self) -> dict | None:
            return next(self.rest, None)

    q.quantize_static(prepared, target, Reader(), quant_format=q.QuantFormat.QDQ, per_channel=True,
                      activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8)


def openvino(net: Network, kind: str, out: Path) -> None:
    """Reads the QDQ model of ONNX Runtime's tool."""
    import openvino as ov

    ov.save_model(ov.convert_model(out / f"model-{kind}.onnx"), out / f"model-{kind}.xml", compress_to_fp16=False)


def litert(net: Network, kind: str, out: Path) -> None:
    """By TensorFlow's converter: calibrated, or with ranges found at run time where the input is of tokens."""
    import tensorflow as tf

    from .keras_network import keras_network

    converter = tf.lite.TFLiteConverter.from_keras_model(keras_network(net, 1))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if not net.integer_below:
        converter.representative_dataset = lambda: ([x[None]] for x in net.sample())
    (out / f"model-{kind}.tflite").write_bytes(converter.convert())


# Each tool's file, and the tools whose files it reads. The last begin from models alone.
TOOLS_OF: dict[str, Callable[[Network, str, Path], None]] = {
    "apus": apus, "onnxruntime": onnxruntime, "openvino": openvino, "litert": litert,
}


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    model_name, integer_type, tool_name = sys.argv[1:]
    TOOLS_OF[tool_name](INFERENCE[model_name](), integer_type, folder(model_name))
