"""Small .apus files, written byte by byte from Docs/Format.md: a writer that shares no code with the one in Swift.

`python3 tiny_models.py FOLDER` writes each to FOLDER/NAME.apus.
"""

from __future__ import annotations

import hashlib
import math
import struct
import sys
import zlib
from pathlib import Path

F32, F64, F16, BF16, I8, U8, I16, U16, I32, I64, BOOL = range(1, 12)
DENSE, CONV2D, RESHAPE, SLICE, ADD, NEG, SOFTMAX, REDUCE_SUM, CAST = 17, 18, 29, 33, 40, 60, 90, 100, 108
GRU, CACHED_ATTENTION = 121, 124
QUANTIZE, QUANTIZED_DENSE, QUANTIZED_CONV2D, QUANTIZED_ADD = 130, 132, 133, 135
RELU, PANELS, PANELS_4, MEMORY = 1, 1, 3, 5


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number: int, value: int | str | bytes) -> bytes:
    """One protobuf record: a varint, or a length and bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def packed_sint(number: int, values: list[int]) -> bytes:
    return field(number, b"".join(varint(value << 1 ^ value >> 63) for value in values))


def int32_field(number: int, value: int) -> bytes:
    return field(number, value % (1 << 64))


def quantization(scales: list[float], zero_points: list[int], granularity: int = 0) -> bytes:
    packed = b"".join(struct.pack("<f", scale) for scale in scales)
    return field(1, granularity) + field(4, packed) + packed_sint(5, zero_points)


def type_of(dtype: int, shape: list[int], layout: int = 0, codes: bytes = b"") -> bytes:
    """A TensorType; −1 in a shape is the first symbolic dimension; `codes` is a Quantization."""
    return field(1, dtype) + field(2, layout) + packed_sint(3, shape) + (field(4, codes) if codes else b"")


def node(name: str, operator: int, inputs: list[int], attributes: bytes = b"", *codes: bytes) -> bytes:
    """`codes` are the quantizations of the outputs."""
    given = b"".join(field(4, one) for one in codes)
    return field(3, field(1, name) + field(2, b"".join(map(varint, inputs))) + given + field(operator, attributes))


def input_(name: str, kind: bytes) -> bytes:
    return field(2, field(1, name) + field(2, kind))


def output(name: str, operand: int, kind: bytes, labels: tuple[str, ...] = ()) -> bytes:
    body = field(1, name) + field(2, operand) + field(3, kind) + b"".join(field(4, label) for label in labels)
    return field(4, body)


def model(name: str, records: bytes, weights: bytes = b"", major: int = 1) -> bytes:
    """The whole file: signature, checksum, the given records of fields 5 to 10, and the weights at a multiple of 64."""
    header = field(3, field(1, major)) + field(4, "tiny_models.py") + records
    header += varint(11 << 3 | 1) + struct.pack("<Q", len(weights))
    header += field(12, hashlib.sha256(weights).digest()) + field(13, name)
    length = varint(len(weights))
    before = len(field(1, "APUS")) + 5 + len(header) + 2 + 1 + len(length)
    checksum = varint(2 << 3 | 5) + struct.pack("<I", zlib.crc32(header))
    return field(1, "APUS") + checksum + header + field(14, bytes(-before % 64)) + varint(15 << 3 | 2) + length + weights


def counter() -> bytes:
    """`add`: y = (x + total) + bias, then total += Σ x over the batch. `negate`: z = −x. batch is 1 to 16."""
    rows, row = type_of(F32, [-1, 3]), type_of(F32, [3])
    batch = field(5, field(1, "batch") + field(2, 1) + field(3, 16))
    bias = field(6, field(1, "bias") + field(2, row) + field(3, field(2, 12)))
    total = field(7, field(1, "total") + field(2, row) + field(4, MEMORY))
    # Operands: 0 bias, 1 total, 2 x, then the nodes' outputs from 3.
    add = (
        field(1, "add") + input_("x", rows)
        + node("remember", ADD, [2, 1]) + node("shift", ADD, [3, 0])
        + node("sum", REDUCE_SUM, [2], packed_sint(1, [0])) + node("count", ADD, [1, 5])
        + output("y", 4, rows, ("red", "green", "blue")) + field(5, field(1, 0) + field(2, 6))
    )  # fmt: skip
    negate = field(1, "negate") + input_("x", rows) + node("negate", NEG, [2]) + output("z", 3, rows)
    metadata = field(9, field(1, "author") + field(2, "Möwe"))
    weights = struct.pack("<3f", 1, 2, 3).ljust(64, b"\0")
    return model("counter", batch + bias + total + field(8, add) + field(8, negate) + metadata, weights)


def casts() -> bytes:
    """One input of each type, each cast to f32 and each cast from `source`: the types that NumPy shares with C."""
    kinds = {"f32": F32, "f64": F64, "f16": F16, "bf16": BF16, "i8": I8, "u8": U8, "i16": I16, "u16": U16,
             "i32": I32, "i64": I64, "bool": BOOL}  # fmt: skip
    body = field(1, "predict")
    for name, kind in kinds.items():
        body += input_(name, type_of(kind, [4]))
    first = len(kinds)
    for index, name in enumerate(kinds):
        body += node("read " + name, CAST, [index], field(1, F32))
    for name, kind in kinds.items():
        body += node("write " + name, CAST, [0], field(1, kind))
    for index, (name, kind) in enumerate(kinds.items()):
        body += output("from " + name, first + index, type_of(F32, [4]))
    for index, (name, kind) in enumerate(kinds.items()):
        body += output("to " + name, 2 * first + index, type_of(kind, [4]))
    return model("casts", field(8, body))


def waves(count: int, step: float) -> list[float]:
    """Weights that anyone can recompute: sin(step), sin(2·step), …"""
    return [math.sin(step * (index + 1)) for index in range(count)]


def panels(matrix: list[float], rows: int, columns: int) -> list[float]:
    """[rows, columns] as [⌈columns/16⌉][rows][16], zero-padded."""
    return [
        matrix[row * columns + column] if column < columns else 0.0
        for panel in range(0, columns, 16) for row in range(rows) for column in range(panel, panel + 16)
    ]  # fmt: skip


CLASSIFIER = (("hidden", 64, 200, 0.37, RELU), ("logits", 200, 10, 0.73, 0))  # name, inputs, outputs, step, activation


def classifier() -> bytes:
    """logits = relu(x·W₁ + b₁)·W₂ + b₂ and its softmax, x [batch, 64]; see CLASSIFIER. batch is 1 to 32."""
    constants, nodes, weights = b"", b"", b""
    for index, (name, rows, columns, step, activation) in enumerate(CLASSIFIER):
        matrix = panels(waves(rows * columns, step), rows, columns)
        for part, kind, values in (
            ("weight", type_of(F32, [rows, columns], PANELS), matrix),
            ("bias", type_of(F32, [columns]), waves(columns, 2 * step)),
        ):
            data = struct.pack(f"<{len(values)}f", *values)
            constants += field(6, field(1, f"{name}.{part}") + field(2, kind)
                               + field(3, field(1, len(weights)) + field(2, len(data))))  # fmt: skip
            weights += data.ljust(-(-len(data) // 64) * 64, b"\0")
        attributes = field(1, 1) + field(3, field(1, activation))
        nodes += node(name, DENSE, [4 + index, 2 * index, 2 * index + 1], attributes)
    # Operands: 0 to 3 weights and biases, 4 x, then the nodes' outputs.
    nodes += node("softmax", SOFTMAX, [6], int32_field(1, -1))
    batch = field(5, field(1, "batch") + field(2, 1) + field(3, 32))
    labels = tuple("zero one two three four five six seven eight nine".split())
    predict = (
        field(1, "predict") + input_("x", type_of(F32, [-1, 64])) + nodes
        + output("logits", 6, type_of(F32, [-1, 10]), labels) + output("probabilities", 7, type_of(F32, [-1, 10]))
    )  # fmt: skip
    return model("classifier", batch + constants + field(8, predict), weights)


CODES = {"inputs": 21, "outputs": 18, "x": (0.05, 3), "y": (0.25, -7)}  # of `codes`: sizes, (scale, zero point)


def code_weights() -> tuple[list[list[int]], list[int], list[float]]:
    """W, c and m of `codes`: codes of −127 to 127, folded biases, multipliers."""
    rows, columns = CODES["inputs"], CODES["outputs"]
    w = [[(row * 37 + column * 101) % 255 - 127 for column in range(columns)] for row in range(rows)]
    c = [100 * column - (CODES["x"][1] + 128) * sum(row[column] for row in w) for column in range(columns)]
    return w, c, [(1 + column % 5) / 1024 for column in range(columns)]


def codes() -> bytes:
    """y = quantize((c + Σ (x + 128)·W)·m), no less than its zero point: codes of i8 [batch, 21] to [batch, 18]."""
    rows, columns = CODES["inputs"], CODES["outputs"]
    w, c, m = code_weights()
    panels_4 = [
        w[row + k][column] if row + k < rows and column < columns else 0
        for panel in range(0, columns, 16) for row in range(0, rows, 4) for column in range(panel, panel + 16)
        for k in range(4)
    ]  # fmt: skip
    constants, weights = b"", b""
    for name, kind, data in (
        ("w", type_of(I8, [rows, columns], PANELS_4), struct.pack(f"<{len(panels_4)}b", *panels_4)),
        ("c", type_of(I32, [columns]), struct.pack(f"<{columns}i", *c)),
        ("m", type_of(F32, [columns]), struct.pack(f"<{columns}f", *m)),
    ):
        constants += field(6, field(1, name) + field(2, kind) + field(3, field(1, len(weights)) + field(2, len(data))))
        weights += data.ljust(-(-len(data) // 64) * 64, b"\0")
    x, y = (quantization([scale], [zero]) for scale, zero in (CODES["x"], CODES["y"]))
    bounds = field(2, field(1, 2 * -CODES["y"][1] - 1) + field(2, 2 * 127))  # as zigzag
    predict = (
        field(1, "predict") + input_("x", type_of(I8, [-1, rows], codes=x))
        + node("dense", QUANTIZED_DENSE, [3, 0, 1, 2], bounds, y)
        + output("y", 4, type_of(I8, [-1, columns], codes=y))
    )  # fmt: skip
    batch = field(5, field(1, "batch") + field(2, 1) + field(3, 16))
    return model("codes", batch + constants + field(8, predict), weights)


def stream() -> bytes:
    """`step` and `step_4`: x [1, 1 or 4, 48] through a GRU of 16 units, whose y its two heads attend to, 16 steps back.

    Keys and values are kept as codes of i8.
    """
    recurrent = waves(3 * 16 * 16, 0.61)
    weights = struct.pack(f"<{len(recurrent)}f", *recurrent)
    constants = field(6, field(1, "R") + field(2, type_of(F32, [3, 16, 16])) + field(3, field(2, len(weights))))
    for name, count in (("one", 1), ("four", 4)):
        constants += field(6, field(1, name) + field(2, type_of(I64, [])) + field(3, field(1, len(weights)) + field(2, 8)))
        weights += struct.pack("<q", count).ljust(64, b"\0")
    states = {
        "h": type_of(F32, [1, 16]), "keys": type_of(I8, [1, 2, 1, 8, 16]), "values": type_of(I8, [1, 2, 1, 16, 16]),
        "key_scales": type_of(F32, [1, 2, 16]), "value_scales": type_of(F32, [1, 2, 16]), "position": type_of(I64, []),
    }  # fmt: skip
    functions = b"".join(field(7, field(1, name) + field(2, kind) + field(4, MEMORY)) for name, kind in states.items())
    # Operands: 0 R, 1 one, 2 four, 3 to 8 the states, 9 x, then the nodes' outputs, of which 11 and 13 to 17 are new states.
    for name, count, advance in (("step", 1, 1), ("step_4", 4, 2)):
        functions += field(8, (
            field(1, name) + input_("x", type_of(F32, [1, count, 48]))
            + node("gru", GRU, [9, 0, 3], field(4, 1))
            + node("attention", CACHED_ATTENTION, [10, 10, 10, 4, 5, 8, 6, 7],
                   field(1, 2) + field(2, 2) + varint(3 << 3 | 5) + struct.pack("<f", 0.5) + field(4, 1))
            + node("advance", ADD, [8, advance])
            + output("y", 12, type_of(F32, [1, count, 16]))
            + b"".join(field(5, field(1, state) + field(2, value)) for state, value in enumerate([11, 13, 14, 15, 16, 17]))
        ))  # fmt: skip
    return model("stream", constants + functions, weights)


def broken() -> dict[str, bytes]:
    """Files with a right checksum and one thing against the format's rules each; "future-…" need a newer Apus."""
    row, batch = type_of(F32, [3]), field(5, field(1, "batch") + field(2, 1) + field(3, 4))

    def negate(
        inputs: list[int], x: bytes = row, y: bytes = row, operand: int = 1, operator: int = NEG, attributes: bytes = b""
    ) -> bytes:
        body = input_("x", x) + node("negate", operator, inputs, attributes) + output("y", operand, y)
        return field(8, field(1, "predict") + body)

    def constant(shape: list[int], offset: int, size: int) -> bytes:
        return field(6, field(1, "c") + field(2, type_of(F32, shape)) + field(3, field(1, offset) + field(2, size)))

    def quantize(*codes: bytes, operator: int = QUANTIZE, attributes: bytes = b"") -> bytes:
        body = input_("x", row) + node("quantize", operator, [0], attributes, *codes)
        return model("m", field(8, field(1, "predict") + body + output("y", 1, type_of(I8, [3], codes=codes[0] if codes else b""))))

    right = quantization([0.5], [1])
    valid, weights = negate([0]), bytes(64)
    return {
        "future-major": model("m", valid, major=2),
        "future-operator": model("m", negate([0], operator=5000)),
        "no-function": model("m", b""),
        "operand-beyond": model("m", negate([99])),
        "operand-of-itself": model("m", negate([1])),
        "no-operand": model("m", negate([])),
        "two-operands": model("m", negate([0, 0])),
        "output-beyond": model("m", negate([0], operand=99)),
        "output-of-another-type": model("m", negate([0], y=type_of(F32, [4]))),
        "dtype-beyond": model("m", negate([0], x=type_of(77, [3]))),
        "layout-beyond": model("m", negate([0], x=type_of(F32, [3], layout=77))),
        "rank-of-nine": model("m", negate([0], x=type_of(F32, [1] * 9))),
        "size-that-overflows": model("m", negate([0], x=type_of(F32, [2**31 - 1] * 8), y=type_of(F32, [2**31 - 1] * 8))),
        "symbol-beyond": model("m", batch + negate([0], x=type_of(F32, [-2]), y=type_of(F32, [-2]))),
        "bounds-reversed": model("m", field(5, field(1, "batch") + field(2, 4) + field(3, 1)) + valid),
        "constant-beyond": model("m", constant([3], 64, 12) + negate([1], operand=2), weights),
        "constant-unaligned": model("m", constant([3], 4, 12) + negate([1], operand=2), weights),
        "constant-of-another-size": model("m", constant([3], 0, 16) + negate([1], operand=2), weights),
        "not-a-message": model("m", b"\xff" * 8 + valid),
        "nine-axes": model("m", negate([0], operator=REDUCE_SUM, attributes=packed_sint(1, [0] * 9))),
        "nine-extents": model("m", negate([0], operator=RESHAPE, attributes=packed_sint(1, [1] * 9))),
        "slice-of-nine": model("m", negate([0], operator=SLICE, attributes=packed_sint(1, [0] * 9))),
        "activation-beyond": model("m", negate([0], operator=DENSE, attributes=field(3, field(1, 99)))),
        "padding-beyond": model("m", negate([0], operator=CONV2D, attributes=field(6, 99))),
        "scale-of-zero": quantize(quantization([0.0], [0])),
        "scale-below-zero": quantize(quantization([-0.5], [0])),
        "scale-of-nan": quantize(quantization([math.nan], [0])),
        "scale-of-infinity": quantize(quantization([math.inf], [0])),
        "no-scale": quantize(quantization([], [])),
        "two-scales": quantize(quantization([0.5, 0.5], [0, 0])),
        "two-zero-points": quantize(quantization([0.5], [0, 0])),
        "zero-point-beyond": quantize(quantization([0.5], [128])),
        "zero-point-of-32-bits": quantize(quantization([0.5], [-(2**31)])),
        "scales-along-an-axis": quantize(quantization([0.5] * 3, [0] * 3, granularity=1)),
        "granularity-beyond": quantize(quantization([0.5], [0], granularity=77)),
        "no-output-quantization": quantize(),
        "two-output-quantizations": quantize(right, right),
        "output-quantization-of-neg": quantize(right, operator=NEG),
        "bounds-beyond": quantize(right, operator=QUANTIZED_ADD, attributes=field(1, 2 * 300)),
        "convolution-missing": quantize(right, operator=QUANTIZED_CONV2D),
        "convolution-with-bias": quantize(right, operator=QUANTIZED_CONV2D, attributes=field(1, field(11, 1))),
        "update-beyond": model("m", field(8, valid[2:] + field(5, field(1, 7) + field(2, 1)))),
    }  # fmt: skip


def write_all(folder: Path) -> Path:
    (folder / "broken").mkdir(parents=True, exist_ok=True)
    for make in (counter, casts, classifier, codes, stream):
        (folder / f"{make.__name__}.apus").write_bytes(make())
    for name, data in broken().items():
        (folder / "broken" / f"{name}.apus").write_bytes(data)
    return folder


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
