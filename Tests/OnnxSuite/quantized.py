"""Quantized ONNX models, imported and compared with ONNX Runtime; see README.md.

Operators: each between DequantizeLinear and QuantizeLinear, in both forms where there are two, with int8 and uint8 codes: codes
differ by at most 1 from ONNX Runtime's. Networks: quantized by ONNX Runtime's own tool, statically in both forms,
dynamically, and in blocks of 4 bits: no node may compute on real numbers that has an integer form, and outputs agree.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, Callable, Optional

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "PythonTests"))
import reader  # noqa: E402
from quantized_networks import NBITS, blocked_weights, dense_network, narrow_weights, network, recurrent_network  # noqa: E402

RANDOM = np.random.default_rng(5)
INTEGER = {
    "quantize", "dequantize", "quantized_dense", "quantized_conv2d", "lookup", "quantized_add", "quantized_mul",
    "quantized_avg_pool", "quantized_softmax", "weight_only_dense", "dynamic_dense", "lstm of integers",
}  # fmt: skip
MOVING = {"reshape", "transpose", "flatten", "slice", "concat", "pad", "gather", "max_pool", "split", "expand"}
# Whether sums of ONNX Runtime's integer kernels saturate here, with weights of 8 bits: on x86 without VNNI.
SATURATES = platform.machine() == "x86_64" and "vnni" not in Path("/proc/cpuinfo").read_text()


def convert(source: Path, target: Path) -> None:
    command = [os.environ["APUS_CONVERT_MODEL"], str(source), "-o", str(target), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"convert-model ended with {done.returncode}: {done.stdout.strip()} {done.stderr.strip()}")


def operators(path: Path) -> list[str]:
    nodes = reader.Model(path).message.functions[0].nodes
    return [f"{node.operator} of integers" if getattr(getattr(node, node.operator), "dynamic", None) else node.operator for node in nodes]


def onnx_runtime(path: Path, inputs: dict[str, np.ndarray], plain: bool = False) -> list[np.ndarray]:
    """`plain`: node by node, so that what lies between DequantizeLinear and QuantizeLinear is computed on real numbers, on
    which no sum saturates. So it runs too where its optimizations make a model that it refuses."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if plain:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Else its products of 4-bit weights round the activations to 8 bits.
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except onnxruntime.capi.onnxruntime_pybind11_state.Fail:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def apus_results(path: Path, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    import apus

    model = apus.Model(str(path))
    dimensions = {one.name: next(iter(inputs.values())).shape[0] for one in model.dimensions}
    with model.session(dimensions=dimensions) as session:
        return list(session.run(inputs).values())


# ---- One operator ---------------------------------------------------------------------------------------------------


class Case:
    """A graph of one operator on quantized operands, whose result is quantized and dequantized."""

    def __init__(self, code: Any, per_channel: bool = False) -> None:
        self.code, self.per_channel = np.dtype(code), per_channel
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []
        self.inputs: dict[str, np.ndarray] = {}
        self.serial = 0

    def name(self, prefix: str) -> str:
        self.serial += 1
        return f"{prefix}{self.serial}"

    def constant(self, array: Any, dtype: Any = np.float32) -> str:
        name = self.name("c")
        self.tensors.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def node(self, op: str, inputs: list[str], **attributes: Any) -> str:
        name = self.name("v")
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        return name

    def pair(self, scale: float, zero: int) -> list[str]:
        return [self.constant(scale), self.constant(zero + (128 if self.code == np.uint8 else 0), self.code)]

    def activation(self, shape: list[int], scale: float = 0.02, zero: int = 3, spread: float = 2.0) -> str:
        name = self.name("x")
        self.inputs[name] = RANDOM.uniform(-spread, spread, shape).astype(np.float32)
        pair = self.pair(scale, zero)
        return self.node("DequantizeLinear", [self.node("QuantizeLinear", [name, *pair]), *pair])

    def weights(self, shape: list[int], axis: int) -> tuple[str, np.ndarray]:
        """Symmetric int8 weights, dequantized; and their scales."""
        codes = RANDOM.integers(-127, 128, shape)
        scales = RANDOM.uniform(0.002, 0.01, shape[axis] if self.per_channel else ()).astype(np.float32)
        parts = [self.constant(codes, np.int8), self.constant(scales), self.constant(np.zeros(scales.shape), np.int8)]
        return self.node("DequantizeLinear", parts, axis=axis), scales

    def bias(self, count: int, scales: np.ndarray, scale: float = 0.02) -> str:
        codes, units = RANDOM.integers(-3000, 3000, count), np.float32(scale) * scales
        return self.node(
            "DequantizeLinear",
            [self.constant(codes, np.int32), self.constant(units), self.constant(np.zeros(units.shape), np.int32)], axis=0)  # fmt: skip

    def finish(self, y: str, scale: float = 0.05, zero: int = -7) -> tuple[Any, float]:
        pair = self.pair(scale, zero)
        y = self.node("DequantizeLinear", [self.node("QuantizeLinear", [y, *pair]), *pair])
        return self.model(y), scale

    def model(self, y: str) -> Any:
        inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, a.shape) for n, a in self.inputs.items()]
        graph = helper.make_graph(self.nodes, "case", inputs, [], self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
        known = {one.name: one for one in onnx.shape_inference.infer_shapes(model, strict_mode=True).graph.value_info}
        model.graph.output.append(known[y])
        return model


def conv(case: Case, groups: int = 1, tail: Optional[str] = None, residual: bool = False, rank: int = 2, **more: Any) -> Any:
    channels, outputs = 8, 16
    x = case.activation([2, channels, *([9, 10][:rank])])
    w, scales = case.weights([outputs, channels // groups, *([3] * rank)], 0)
    y = case.node("Conv", [x, w, case.bias(outputs, scales)], group=groups, pads=[1] * (2 * rank), **more)
    if residual:
        y = case.node("Add", [y, case.activation([2, outputs, 9, 10], 0.03, -11)])
    if tail == "Relu":
        y = case.node("Relu", [y])
    if tail == "Clip":
        y = case.node("Clip", [y, case.constant(0), case.constant(6)])
    return case.finish(y, 0.06)


def gemm(case: Case) -> Any:
    x, (w, scales) = case.activation([5, 33]), case.weights([20, 33], 0)
    return case.finish(case.node("Gemm", [x, w, case.bias(20, scales)], transB=1), 0.08)


def matmul(case: Case) -> Any:
    w, scales = case.weights([33, 20], 1)
    y = case.node("MatMul", [case.activation([2, 5, 33]), w])
    return case.finish(case.node("Add", [y, case.bias(20, scales)]), 0.08)


def binary(op: str) -> Callable[[Case], Any]:
    return lambda case: case.finish(
        case.node(op, [case.activation([2, 6, 5, 4]), case.activation([1, 6, 1, 1], 0.015, -20, 1.5)]), 0.04, 5)  # fmt: skip


def unary(op: str, scale: float = 0.02, zero: int = -9, **attributes: Any) -> Callable[[Case], Any]:
    return lambda case: case.finish(case.node(op, [case.activation([3, 7, 6])], **attributes), scale, zero)


def image(op: str, scale: float = 0.02, zero: int = 3, **attributes: Any) -> Callable[[Case], Any]:
    return lambda case: case.finish(case.node(op, [case.activation([2, 5, 9, 8])], **attributes), scale, zero)


def hard_swish(case: Case) -> Any:
    x = case.activation([2, 5, 6])
    y = case.node("Clip", [case.node("Add", [x, case.constant(3)]), case.constant(0), case.constant(6)])
    return case.finish(case.node("Div", [case.node("Mul", [x, y]), case.constant(6)]), 0.02)


def concat(case: Case) -> Any:
    parts = [case.activation([2, 3, 4]), case.activation([2, 5, 4], 0.01, 30, 1.0)]
    return case.finish(case.node("Concat", parts, axis=1), 0.02, 3)


def resize(case: Case) -> Any:
    x = case.activation([1, 3, 4, 5])
    scales = case.constant([1, 1, 2, 2])
    y = case.node("Resize", [x, "", scales], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    return case.finish(y, 0.02, 3)


CASES: dict[str, tuple[Callable[[Case], Any], set[str]]] = {
    "Conv": (conv, {"quantized_conv2d"}),
    "Conv of one axis": (lambda case: conv(case, rank=1), {"quantized_conv2d"}),
    "Conv in groups": (lambda case: conv(case, groups=2, strides=[2, 2]), {"quantized_conv2d"}),
    "Conv depthwise": (lambda case: conv(case, groups=8), {"quantized_conv2d"}),
    "Conv, Relu": (lambda case: conv(case, tail="Relu"), {"quantized_conv2d"}),
    "Conv, Clip": (lambda case: conv(case, tail="Clip"), {"quantized_conv2d"}),
    "Conv, Add, Relu": (lambda case: conv(case, tail="Relu", residual=True), {"quantized_conv2d"}),
    "Gemm": (gemm, {"quantized_dense"}),
    "MatMul, Add": (matmul, {"quantized_dense"}),
    "Add": (binary("Add"), {"quantized_add"}),
    "Sub": (binary("Sub"), {"quantized_add", "lookup"}),
    "Mul": (binary("Mul"), {"quantized_mul"}),
    "AveragePool": (image("AveragePool", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 0]), {"quantized_avg_pool"}),
    "GlobalAveragePool": (image("GlobalAveragePool", 0.004), {"quantized_avg_pool"}),
    "MaxPool": (image("MaxPool", kernel_shape=[2, 2], strides=[2, 2]), {"max_pool"}),
    "Relu": (unary("Relu"), {"lookup"}),
    "Sigmoid": (unary("Sigmoid", 1 / 256, -128), {"lookup"}),
    "Tanh": (unary("Tanh", 1 / 128, 0), {"lookup"}),
    "LeakyRelu": (unary("LeakyRelu", alpha=0.1), {"lookup"}),
    "HardSwish": (unary("HardSwish"), {"lookup"}),
    "Gelu": (unary("Gelu"), {"lookup"}),
    "hard swish in parts": (hard_swish, {"lookup"}),
    "Softmax": (unary("Softmax", 1 / 256, -128, axis=-1), {"quantized_softmax"}),
    "Concat": (concat, {"lookup", "concat"}),
    "Transpose": (unary("Transpose", 0.02, 3, perm=[2, 0, 1]), set()),
    "Flatten": (image("Flatten"), set()),
    "Resize": (resize, set()),
}


def check_case(name: str, code: Any, per_channel: bool, folder: Path) -> int:
    build, wanted = CASES[name]
    case = Case(code, per_channel)
    model, scale = build(case)
    onnx.checker.check_model(model)
    path, target = folder / "case.onnx", folder / "case.apus"
    onnx.save(model, path)
    convert(path, target)
    found = set(operators(target))
    real = found - wanted - MOVING - {"quantize", "dequantize"}
    assert wanted <= found and not real, f"operators {sorted(found)}, wanted {sorted(wanted)}"
    (theirs,), (ours,) = onnx_runtime(path, case.inputs, plain=True), apus_results(target, case.inputs)
    off = int(np.abs(np.rint(theirs / scale) - np.rint(ours / scale)).max())
    assert ours.shape == theirs.shape and off <= 1, f"shape {ours.shape}, {off} codes from ONNX Runtime"
    return off


# ---- Networks -------------------------------------------------------------------------------------------------------


def check_network(kind: str, folder: Path) -> str:
    from onnxruntime import quantization as q

    dense = kind.startswith(("dynamic", "int4", "MatMulNBits"))
    build = recurrent_network if "recurrent" in kind else dense_network if dense else network
    model, shape = build(RANDOM)
    source, path, target = folder / "float.onnx", folder / "quantized.onnx", folder / "quantized.apus"
    onnx.save(model, source)
    samples = [{"x": RANDOM.uniform(-1, 1, shape).astype(np.float32)} for _ in range(20)]

    class Samples(q.CalibrationDataReader):
        rest = iter(samples)

        def get_next(self) -> Any:
            return next(self.rest, None)

    if kind.startswith("dynamic"):
        codes = q.QuantType.QUInt8 if kind.endswith("QUInt8") else q.QuantType.QInt8
        q.quantize_dynamic(source, path, weight_type=codes, per_channel=True, reduce_range=SATURATES and "recurrent" in kind)
    elif kind == "int4":
        blocked_weights(model, path)
    elif kind in NBITS:
        narrow_weights(model, path, **NBITS[kind])
    else:
        form, activations, per_channel = kind.split(", ")
        q.quantize_static(
            source, path, Samples(), quant_format=q.QuantFormat[form], per_channel=per_channel == "per channel",
            activation_type=q.QuantType[activations], weight_type=q.QuantType.QInt8,
            reduce_range=form == "QOperator" and SATURATES,  # weights of 7 bits
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True})  # fmt: skip
    convert(path, target)
    nodes = operators(target)
    real = sorted(set(nodes) - INTEGER - MOVING)
    inputs = {"x": RANDOM.uniform(-1, 1, shape).astype(np.float32)}
    theirs, ours = onnx_runtime(path, inputs, plain=kind.startswith("QDQ"))[0], apus_results(target, inputs)[0]
    exact = onnx_runtime(source, inputs)[0]
    scale = np.abs(theirs).max()
    between, lost = np.abs(theirs - ours).max() / scale, np.abs(theirs - exact).max() / scale
    assert not real, f"on real numbers: {real}"
    # What ONNX Runtime's rows share a scale for, each has its own for here: nearer the float model, not the same.
    # Scales of MatMulNBits are rounded to 16 bits.
    limit = (
        1.5 * lost if kind.startswith("dynamic") else 1e-5 if kind == "int4" else 1e-3 if kind in NBITS else max(0.02, 0.5 * lost)
    )
    assert between <= limit, f"{between:.1e} of the scale from ONNX Runtime, wanted {limit:.1e}; it lost {lost:.1e}"
    return f"{len(nodes)} nodes, {between:.1e} from ONNX Runtime, which lost {lost:.1e}"


NETWORKS = [
    f"{form}, {code}, {channels}"
    for form in ("QDQ", "QOperator") for code in ("QUInt8", "QInt8") for channels in ("per tensor", "per channel")
] + ["dynamic", "dynamic recurrent, QInt8", "dynamic recurrent, QUInt8", "int4", *NBITS]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    failures = []

    def attempt(name: str, check: Callable[[], Any]) -> None:
        if options.only not in name:
            return
        try:
            print(f"{name}: {check()}")
        except Exception as error:  # whatever a case raises is its result
            failures.append(f"{name}: {type(error).__name__}: {' '.join(str(error).split())[:400]}")

    with tempfile.TemporaryDirectory(prefix="apus-quantized-") as text:
        folder = Path(text)
        for name in CASES:
            for code in (np.int8, np.uint8):
                for per_channel in (False, True):
                    label = f"{name}, {np.dtype(code)}, {'per channel' if per_channel else 'per tensor'}"
                    attempt(label, lambda: check_case(name, code, per_channel, folder))
        for kind in NETWORKS:
            attempt(kind, lambda: check_network(kind, folder))
    for failure in failures:
        print(f"FAILED {failure}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
