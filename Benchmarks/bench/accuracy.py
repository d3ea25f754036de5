"""Accuracy after quantization by several tools: the same trained network, calibrated with the same 300 samples.

    python -m bench.accuracy DATA MODEL.apus…

MODEL is of the example mnist-cnn or cifar-cnn, by the beginning of its file's name, trained on DATA/mnist or DATA/cifar10. A
line for each: the share of test samples that are classified right, in percent, in f32 and by each tool. Every tool reads the
ONNX file that convert-model makes, but TensorFlow's converter, which reads a Keras network of its weights.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable

import numpy as np

from .models import INFERENCE
from .paths import TOOLS

CALIBRATION = 300


def idx(path: Path) -> np.ndarray:
    data = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(data, ">i4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def cifar(path: Path) -> tuple[np.ndarray, np.ndarray]:
    rows = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8).reshape(-1, 3073)
    return rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), rows[:, 0]


class Data:
    """Samples as the examples normalize them, and how `apus` and `convert-model` are told of them."""

    def __init__(self, root: Path, network: str) -> None:
        if network == "mnist-cnn":
            folder = root / "mnist"
            parts = {name: f"idx:{folder}/{file}-images-idx3-ubyte.gz,{folder}/{file}-labels-idx1-ubyte.gz"
                     for name, file in (("training", "train"), ("test", "t10k"))}
            training = idx(folder / "train-images-idx3-ubyte.gz")[..., None]
            test, labels = idx(folder / "t10k-images-idx3-ubyte.gz")[..., None], idx(folder / "t10k-labels-idx1-ubyte.gz")
        else:
            folder = root / "cifar10"
            parts = {"training": f"cifar10:{folder}/data_batch_1.bin.gz", "test": f"cifar10:{folder}/test_batch.bin.gz"}
            training = cifar(folder / "data_batch_1.bin.gz")[0]
            test, labels = cifar(folder / "test_batch.bin.gz")
        self.training, self.testing = parts["training"], parts["test"]
        chosen = [i * len(training) // CALIBRATION for i in range(CALIBRATION)]
        self.samples = training[chosen].astype(np.float32) / 255
        self.test, self.labels = test.astype(np.float32) / 255, labels

    def accuracy(self, classify: Callable[[np.ndarray], np.ndarray], batch: int = 250) -> float:
        right = 0
        for start in range(0, len(self.labels), batch):
            part = slice(start, start + batch)
            right += int((classify(self.test[part]).argmax(-1) == self.labels[part]).sum())
        return 100 * right / len(self.labels)


def run(*command: object) -> str:
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def apus(model: Path, testing: str) -> float:
    return 100 * json.loads(run(TOOLS / "apus", "evaluate", model, "--data", testing, "--json", "--quiet"))["values"]["accuracy"]


def apus_int8(model: Path, data: Data, out: Path) -> float:
    target = out / "int8.apus"
    run(TOOLS / "convert-model", model, "-o", target, "--quantize", "int8", "--calibrate", data.training, "--quiet")
    return apus(target, data.testing)


def onnxruntime_int8(model: Path, data: Data, out: Path) -> float:
    import onnxruntime
    from onnxruntime import quantization as q
    from onnxruntime.quantization.shape_inference import quant_pre_process

    source, prepared, target = out / "model.onnx", out / "prepared.onnx", out / "int8.onnx"
    quant_pre_process(str(source), str(prepared))

    class Reader(q.CalibrationDataReader):
        rest = iter([{"input": x[None]} for x in data.samples])

        def get_next(self) -> dict | None:
            return next(self.rest, None)

    q.quantize_static(prepared, target, Reader(), quant_format=q.QuantFormat.QDQ, per_channel=True,
                      activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8)
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    return data.accuracy(lambda x: session.run(None, {"input": x})[0], 50)


def apus_imported(model: Path, data: Data, out: Path) -> float:
    """ONNX Runtime's quantized model, imported: what of a difference is the tool's, and what the runtime's."""
    target, back = out / "int8.onnx", out / "imported.apus"
    run(TOOLS / "convert-model", target, "-o", back, "--quiet")
    np.savez(out / "test.npz", images=data.test, labels=data.labels.astype(np.int64))
    return apus(back, f"npz:{out / 'test.npz'},x=images,y=labels")


def litert_int8(model: Path, data: Data, out: Path) -> float:
    import onnx
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter
    from onnx import numpy_helper

    from .keras_network import keras_network

    graph = onnx.load(out / "model.onnx").graph
    tensors = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    products = [node for node in graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]
    network = keras_network(INFERENCE[data_network(model)](), 1, weighted=False)
    layers = [layer for layer in network.layers if layer.weights]
    assert len(layers) == len(products), f"{len(products)} products for {len(layers)} layers"
    for layer, node in zip(layers, products):
        w = tensors[node.input[1]]
        layer.set_weights([w.transpose(2, 3, 1, 0) if node.op_type == "Conv" else w, tensors[node.input[2]]])
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([x[None]] for x in data.samples)
    interpreter = Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    source, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def classify(x: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source, x)
        interpreter.invoke()
        return interpreter.get_tensor(result)

    return data.accuracy(classify, 1)


def data_network(model: Path) -> str:
    return "-".join(model.stem.split("-")[:2])


COLUMNS = {"Apus": apus_int8, "ONNX Runtime": onnxruntime_int8, "the same in Apus": apus_imported, "LiteRT": litert_int8}


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    root, *models = map(Path, sys.argv[1:])
    print(f"| model | f32 | {' | '.join(COLUMNS)} |\n|---|{'---|' * (1 + len(COLUMNS))}")
    for model in models:
        data = Data(root, data_network(model))
        with tempfile.TemporaryDirectory(prefix="apus-accuracy-") as folder:
            run(TOOLS / "convert-model", model, "-o", Path(folder) / "model.onnx", "--quiet")
            found = [apus(model, data.testing)] + [column(model, data, Path(folder)) for column in COLUMNS.values()]
        print(f"| {model.stem} | {' | '.join(f'{value:.2f}' for value in found)} |", flush=True)


if __name__ == "__main__":
    main()
