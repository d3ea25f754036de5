"""Networks for quantized.py, and matrices of them made narrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NBITS: dict[str, dict[str, Any]] = {
    "MatMulNBits, 4 bits": {"bits": 4, "block": 32, "has_zeros": False},
    "MatMulNBits, 4 bits with zero points": {"bits": 4, "block": 128, "has_zeros": True},
    "MatMulNBits, 8 bits": {"bits": 8, "block": 64, "has_zeros": False},
}


def network(random: np.random.Generator) -> tuple[Any, list[int]]:
    """A small convolutional network with a residual, depthwise layers, a gate and two dense layers."""
    tensors, nodes = [], []

    def weights(name: str, *shape: int) -> str:
        depth = np.prod(shape[1:]) if len(shape) > 1 else 4
        tensors.append(numpy_helper.from_array((random.standard_normal(shape) / np.sqrt(depth)).astype(np.float32), name))
        return name

    def node(op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(op, inputs, [output], name=f"{op}_{output}", **attributes))
        return output

    x = node("Relu", [node("Conv", ["x", weights("w1", 16, 3, 3, 3), weights("b1", 16)], "c1", pads=[1] * 4)], "r1")
    y = node("Conv", [x, weights("w2", 16, 1, 3, 3), weights("b2", 16)], "c2", group=16, pads=[1] * 4)
    y = node("Relu", [node("Add", [y, x], "sum")], "r2")
    y = node("MaxPool", [y], "pool", kernel_shape=[2, 2], strides=[2, 2])
    gate = node("Sigmoid", [node("Conv", [y, weights("w3", 16, 16, 1, 1), weights("b3", 16)], "c3")], "gate")
    y = node("GlobalAveragePool", [node("Mul", [y, gate], "gated")], "mean")
    y = node("Relu", [node("Gemm", [node("Flatten", [y], "flat"), weights("w4", 32, 16), weights("b4", 32)], "g1", transB=1)], "r4")
    node("MatMul", [y, weights("w5", 32, 10)], "y")
    shape = [4, 3, 16, 16]
    graph = helper.make_graph(
        nodes, "network", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, 10])], tensors)  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), shape


def dense_network(random: np.random.Generator) -> tuple[Any, list[int]]:
    tensors, nodes, last = [], [], "x"
    for i, (rows, columns) in enumerate([(128, 256), (256, 256), (256, 40)]):
        matrix = (random.standard_normal((rows, columns)) / np.sqrt(rows)).astype(np.float32)
        tensors += [
            numpy_helper.from_array(matrix, f"w{i}"),
            numpy_helper.from_array(random.standard_normal(columns).astype(np.float32), f"b{i}"),
        ]
        nodes += [
            helper.make_node("MatMul", [last, f"w{i}"], [f"m{i}"], name=f"m{i}"),
            helper.make_node("Add", [f"m{i}", f"b{i}"], [f"a{i}"], name=f"a{i}"),
            helper.make_node("Relu", [f"a{i}"], [f"r{i}"], name=f"r{i}"),
        ]
        last = f"r{i}"
    shape = [7, 128]
    graph = helper.make_graph(
        nodes, "dense", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, [7, 40])], tensors)  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), shape


def recurrent_network(random: np.random.Generator) -> tuple[Any, list[int]]:
    """An LSTM of both directions with biases and a first state, and a dense layer."""
    time, batch, features, hidden = 9, 3, 24, 40

    def tensor(name: str, *shape: int) -> Any:
        return numpy_helper.from_array((random.uniform(-1, 1, shape) / np.sqrt(hidden)).astype(np.float32), name)

    tensors = [
        tensor("w", 2, 4 * hidden, features), tensor("r", 2, 4 * hidden, hidden), tensor("b", 2, 8 * hidden),
        tensor("h", 2, batch, hidden), tensor("c", 2, batch, hidden), tensor("v", 2 * hidden, 5),
        numpy_helper.from_array(np.array([time, batch, 2 * hidden]), "joined"),
    ]  # fmt: skip
    nodes = [
        helper.make_node("LSTM", ["x", "w", "r", "b", "", "h", "c"], ["y"], "lstm", hidden_size=hidden, direction="bidirectional"),
        helper.make_node("Transpose", ["y"], ["t"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["t", "joined"], ["j"]),
        helper.make_node("MatMul", ["j", "v"], ["z"], "dense"),
    ]
    shape = [time, batch, features]
    graph = helper.make_graph(
        nodes, "recurrent", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [time, batch, 5])], tensors)  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), shape


def blocked_weights(model: Any, path: Path) -> None:
    """Each matrix as int4 in blocks of 32 rows behind DequantizeLinear, with scales that 16 bits hold."""
    graph = model.graph
    for tensor in list(graph.initializer):
        matrix = numpy_helper.to_array(tensor)
        if matrix.ndim != 2:
            continue
        blocks = matrix.reshape(-1, 32, matrix.shape[1])
        scales = (np.abs(blocks).max(1) / 7).astype(np.float16).astype(np.float32)
        codes = np.clip(np.rint(blocks / scales[:, None]), -8, 7).astype(np.int8).reshape(matrix.shape)
        graph.initializer.remove(tensor)
        name = tensor.name
        graph.initializer.append(helper.make_tensor(name + "_codes", TensorProto.INT4, matrix.shape, codes.ravel().tolist()))
        graph.initializer.append(numpy_helper.from_array(scales, name + "_scales"))
        node = helper.make_node("DequantizeLinear", [name + "_codes", name + "_scales"], [name], axis=0, block_size=32)
        graph.node.insert(0, node)
    onnx.save(model, path)


def narrow_weights(model: Any, path: Path, bits: int, block: int, has_zeros: bool) -> None:
    """Each matrix as ONNX Runtime's own operator of narrow weights."""
    graph, matrices = model.graph, {t.name: t for t in model.graph.initializer if len(t.dims) == 2}
    for node in graph.node:
        if node.op_type != "MatMul":
            continue
        tensor = matrices[node.input[1]]
        columns = numpy_helper.to_array(tensor).T
        blocks = columns.reshape(len(columns), -1, block)
        low, high = (blocks.min(2), blocks.max(2)) if has_zeros else (-np.abs(blocks).max(2), np.abs(blocks).max(2))
        scales = ((high - low) / (2**bits - 1)).astype(np.float32)
        zeros = np.rint(-low / scales).astype(np.uint8) if has_zeros else np.full(scales.shape, 2 ** (bits - 1), np.uint8)
        codes = np.clip(np.rint(blocks / scales[..., None]) + zeros[..., None], 0, 2**bits - 1).astype(np.uint8)
        if bits == 4:
            codes = codes[..., ::2] | codes[..., 1::2] << 4
            zeros = np.pad(zeros, [(0, 0), (0, zeros.shape[1] % 2)])
            zeros = zeros[:, ::2] | zeros[:, 1::2] << 4
        parts = {"codes": codes, "scales": scales.ravel(), **({"zeros": zeros.ravel()} if has_zeros else {})}
        graph.initializer.remove(tensor)
        graph.initializer.extend(numpy_helper.from_array(part, f"{tensor.name}_{name}") for name, part in parts.items())
        inputs = [node.input[0], *(f"{tensor.name}_{name}" for name in parts)]
        node.CopyFrom(helper.make_node(
            "MatMulNBits", inputs, list(node.output), name=node.name, domain="com.microsoft", K=columns.shape[1],
            N=len(columns), bits=bits, block_size=block, accuracy_level=1))  # fmt: skip
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, path)
