"""A second reader of .apus files, written from Docs/Format.md and Include/apus.proto alone: NumPy and nothing else.

    model = Model(Path("digits.apus"))
    outputs, states = model.run("predict", [images])

It shares no code with the library, so what both compute alike is what the specification says.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


class BadFile(Exception):
    """The file breaks a rule of the format."""


# ---- The schema: apus.proto as tables ------------------------------------------------------------------------------

SCALARS = {"int32", "sint32", "uint32", "uint64", "fixed32", "fixed64", "float", "bool", "string", "bytes"}


class Field:
    def __init__(self, number: int, name: str, kind: str, repeated: bool, choice: str) -> None:
        self.number, self.name, self.kind, self.repeated, self.choice = number, name, kind, repeated, choice


class Schema:
    """messages: name → {field number: Field}; enums: name → {number: name}. Nested names are dotted."""

    def __init__(self, source: str) -> None:
        self.messages: dict[str, dict[int, Field]] = {}
        self.enums: dict[str, dict[int, str]] = {}
        self._tokens = re.findall(r'"[^"]*"|\w+|[{}=;\[\]]', re.sub(r"//.*", "", source))
        self._tokens = self._tokens[self._tokens.index("message"):]
        while self._tokens:
            self._declaration("")
        for name, fields in self.messages.items():
            for field in fields.values():
                field.kind = self._resolved(field.kind, name)

    def _next(self) -> str:
        return self._tokens.pop(0)

    def _declaration(self, scope: str) -> None:
        keyword, name = self._next(), self._next()
        path = f"{scope}.{name}" if scope else name
        self._next()
        if keyword == "enum":
            self.enums[path] = {}
            while self._tokens[0] != "}":
                value, _, number, _ = (self._next() for _ in range(4))
                self.enums[path][int(number)] = value
        else:
            self.messages[path] = {}
            while self._tokens[0] != "}":
                self._member(path, "")
        self._next()

    def _member(self, message: str, choice: str) -> None:
        if self._tokens[0] in ("message", "enum"):
            return self._declaration(message)
        kind = self._next()
        if kind == "oneof":
            choice = self._next()
            self._next()
            while self._tokens[0] != "}":
                self._member(message, choice)
            self._next()
            return None
        repeated = kind == "repeated"
        kind = self._next() if repeated else kind
        name, _, number = self._next(), self._next(), int(self._next())
        while self._next() != ";":
            pass
        self.messages[message][number] = Field(number, name, kind, repeated, choice)
        return None

    def _resolved(self, kind: str, scope: str) -> str:
        if kind in SCALARS:
            return kind
        while True:
            path = f"{scope}.{kind}" if scope else kind
            if path in self.messages or path in self.enums:
                return path
            scope = scope.rpartition(".")[0]


SCHEMA = Schema((ROOT / "Include" / "apus.proto").read_text())

# ---- The wire ------------------------------------------------------------------------------------------------------


class Message:
    """A decoded message: fields are attributes, absent ones have proto3's defaults (an absent message is None).

    For a oneof, the attribute of its name holds the name of the member that is set."""

    def __init__(self, kind: str, data: bytes = b"") -> None:
        self._kind = kind
        for field in SCHEMA.messages[kind].values():
            setattr(self, field.name, [] if field.repeated else _default(field.kind))
            if field.choice:
                setattr(self, field.choice, None)
        for number, wire, value in records(data):
            field = SCHEMA.messages[kind].get(number)
            if field is None:
                continue
            if not field.repeated:
                setattr(self, field.name, _decoded(field.kind, wire, value))
                if field.choice:
                    setattr(self, field.choice, field.name)
            elif wire == 2 and field.kind not in SCHEMA.messages and field.kind not in ("string", "bytes"):
                getattr(self, field.name).extend(_unpacked(field.kind, value))
            else:
                getattr(self, field.name).append(_decoded(field.kind, wire, value))


def varint(data: bytes, offset: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if offset >= len(data) or shift > 63:
            raise BadFile(f"a number that does not end at byte {offset}")
        value |= (data[offset] & 127) << shift
        offset, shift = offset + 1, shift + 7
        if data[offset - 1] < 128:
            return value & (1 << 64) - 1, offset


def records(data: bytes, offset: int = 0):
    """(field number, wire type, value) of each record; a value is an int, or bytes."""
    while offset < len(data):
        key, offset = varint(data, offset)
        wire, size = key & 7, {1: 8, 5: 4}.get(key & 7)
        if wire == 0:
            value, offset = varint(data, offset)
        else:
            if wire == 2:
                size, offset = varint(data, offset)
            if size is None or size > len(data) - offset:
                raise BadFile(f"a record of wire type {wire} at byte {offset} that does not end")
            value, offset = data[offset:offset + size], offset + size
        yield key >> 3, wire, value


def _default(kind: str) -> Any:
    return None if kind in SCHEMA.messages else {"string": "", "bytes": b"", "float": 0.0, "bool": False}.get(kind, 0)


def _decoded(kind: str, wire: int, value: Any) -> Any:
    if kind in SCHEMA.messages:
        return Message(kind, value)
    if kind in ("string", "bytes"):
        return value.decode() if kind == "string" else value
    if kind in ("fixed32", "fixed64", "float"):
        return struct.unpack({"fixed32": "<I", "fixed64": "<Q", "float": "<f"}[kind], value)[0]
    if kind == "sint32":
        return (value >> 1) ^ -(value & 1)
    if kind == "int32":
        return (value + (1 << 31)) % (1 << 32) - (1 << 31)
    return bool(value) if kind == "bool" else value


def _unpacked(kind: str, data: bytes) -> list[Any]:
    if kind == "float":
        return list(struct.unpack(f"<{len(data) // 4}f", data))
    values, offset = [], 0
    while offset < len(data):
        value, offset = varint(data, offset)
        values.append(_decoded(kind, 0, value))
    return values


# ---- Tensors -------------------------------------------------------------------------------------------------------

BF16 = np.dtype([("bf16", "<u2")])  # NumPy has none: its bits under a name
DTYPES = {
    1: np.dtype("<f4"), 2: np.dtype("<f8"), 3: np.dtype("<f2"), 4: BF16, 5: np.dtype("i1"), 6: np.dtype("u1"),
    7: np.dtype("<i2"), 8: np.dtype("<u2"), 9: np.dtype("<i4"), 10: np.dtype("<i8"), 11: np.dtype("?"),
}  # fmt: skip
I8, I4, U4 = 5, 12, 13
PLAIN, PANELS, CONV_PANELS, PANELS_4, CONV_PANELS_4, WINOGRAD_2_PANELS, WINOGRAD_4_PANELS = range(7)
INVERSE_TRANSFORMS = {
    WINOGRAD_2_PANELS: np.array([[1, 0, 0, 0], [0, 1, -1, 0], [0, 0, 0, 1]], float),
    WINOGRAD_4_PANELS: np.array([[4, 0, 0, 0, 0, 0], [0, -3, 3, 0, 0, 0], [0, 0, 0, 0, 0, 1]], float),
}


def elements(data: bytes, dtype: int) -> np.ndarray:
    if dtype in (I4, U4):
        pairs = np.frombuffer(data, np.uint8)
        nibbles = np.stack([pairs & 15, pairs >> 4], axis=-1).ravel().astype(np.int8)
        return np.where(nibbles > 7, nibbles - 16, nibbles) if dtype == I4 else nibbles
    if dtype not in DTYPES:
        raise BadFile(f"element type {dtype}")
    if len(data) % DTYPES[dtype].itemsize:
        raise BadFile(f"{len(data)} bytes of {DTYPES[dtype]}")
    return np.frombuffer(data, DTYPES[dtype])


def unpacked_panels(flat: np.ndarray, batch: int, k: int, n: int, depth: int) -> np.ndarray:
    """[batch][⌈n/16⌉][⌈k/depth⌉][16][depth] → [batch, k, n]"""
    panels = flat.reshape(batch, -(-n // 16), -(-k // depth), 16, depth)
    return panels.transpose(0, 2, 4, 1, 3).reshape(batch, -(-k // depth) * depth, -(-n // 16) * 16)[:, :k, :n]


def tensor(data: bytes, kind: Message, shape: list[int]) -> np.ndarray:
    """The logical tensor of bytes in any layout."""
    flat, groups = elements(data, kind.dtype), max(kind.groups, 1)
    depth = 4 if kind.layout in (PANELS_4, CONV_PANELS_4) else 1
    if kind.layout == PLAIN:
        count = int(np.prod(shape, dtype=np.int64))
        if flat.size < count:
            raise BadFile(f"{flat.size} elements, wanted {count}")
        return flat[:count].reshape(shape)
    if kind.layout in (PANELS, PANELS_4):
        batch = int(np.prod(shape[:-2], dtype=np.int64))
        return unpacked_panels(flat, batch, shape[-2], shape[-1], depth).reshape(shape)
    if (h := INVERSE_TRANSFORMS.get(kind.layout)) is not None:
        side = h.shape[1]
        u = unpacked_panels(flat, 1, side * side * shape[2], shape[3], 1).reshape(side, side, *shape[2:])
        return np.einsum("yi,xj,ijco->yxco", h, h, u.astype(float)).astype(flat.dtype)
    rows, columns = shape[0] * shape[1] * shape[2], shape[3] // groups
    return unpacked_panels(flat, groups, rows, columns, depth).transpose(1, 0, 2).reshape(shape)


# Operators whose outputs have the quantization of an input, and of which.
MOVES = dict.fromkeys(
    ("flatten", "reshape", "transpose", "concat", "split", "slice", "pad", "gather", "expand", "trim", "max_pool",
     "reshape_like"), 0,
) | {"where": 1}  # fmt: skip


def code_scale(quantization: Message | None) -> tuple[float, int] | None:
    """(scale, zero point) of a tensor of codes that have one scale."""
    if quantization is None or quantization.granularity or not quantization.scales:
        return None
    return quantization.scales[0], (quantization.zero_points or [0])[0]


# ---- Files ---------------------------------------------------------------------------------------------------------


class Model:
    """A file, checked and decoded. `constants` and `states` hold logical tensors."""

    def __init__(self, source: Path | bytes) -> None:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        if data[:7] != b"\x0a\x04APUS\x15" or len(data) < 11:
            raise BadFile("not an .apus file")
        header_end, weights_start = self._scan(data)
        if zlib.crc32(data[11:header_end]) != struct.unpack("<I", data[7:11])[0]:
            raise BadFile("header checksum")
        self.message = Message("Model", data[:header_end])
        if self.message.format is not None and self.message.format.major > 1:
            raise BadFile("a newer major version")
        self.weights = data[weights_start:]
        if len(self.weights) != self.message.weights_size:
            raise BadFile(f"weights of {len(self.weights)} bytes, wanted {self.message.weights_size}")
        if self.message.weights_hash and hashlib.sha256(self.weights).digest() != self.message.weights_hash:
            raise BadFile("weights hash")
        self.weights_start = weights_start
        self.functions = {function.name: function for function in self.message.functions}
        self.maxima = [dimension.maximum for dimension in self.message.dimensions]
        self.constants = [self._stored(c.data, c.type, self.maxima) for c in self.message.constants]
        self.states = [
            self._stored(s.initial, s.type, self.maxima) if s.initial
            else np.zeros(s.type.shape, DTYPES[s.type.dtype]) for s in self.message.states
        ]  # fmt: skip

    @staticmethod
    def _scan(data: bytes) -> tuple[int, int]:
        """Where the header ends, and where the payload of field 15 starts."""
        offset = 11
        while offset < len(data):
            start = offset
            key, offset = varint(data, offset)
            if key & 7 == 0:
                offset = varint(data, offset)[1]
                continue
            size, offset = varint(data, offset) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], offset)
            if key == 14 << 3 | 2:
                key, weights = varint(data, offset + size)
                size, weights = varint(data, weights)
                if key != 15 << 3 | 2 or weights + size != len(data):
                    raise BadFile("padding that the weights do not follow to the file's end")
                if weights % 64:
                    raise BadFile(f"weights at byte {weights}")
                return start, weights
            if key == 15 << 3 | 2:
                if offset % 64 or offset + size != len(data):
                    raise BadFile(f"weights at byte {offset}")
                return start, offset
            offset += size
        raise BadFile("no weights record")

    def shape(self, kind: Message, dimensions: list[int]) -> list[int]:
        return [extent if extent >= 0 else dimensions[-1 - extent] for extent in kind.shape]

    def _stored(self, span: Message, kind: Message, dimensions: list[int]) -> np.ndarray:
        if span.offset % 64 or span.offset + span.size > len(self.weights):
            raise BadFile(f"{span.size} bytes at {span.offset}")
        return tensor(self.weights[span.offset:span.offset + span.size], kind, self.shape(kind, dimensions))

    def goldens(self):
        """(function, inputs, outputs, relative and absolute tolerance) of each golden pair."""
        for golden in self.message.goldens:
            function, dimensions = self.message.functions[golden.function], list(self.maxima)
            for value in golden.dimensions:
                dimensions[value.dimension] = value.value
            inputs = [self._golden_input(golden, i, x.type, dimensions) for i, x in enumerate(function.inputs)]
            outputs = [self._stored(s, y.type, dimensions) for s, y in zip(golden.outputs, function.outputs)]
            yield function.name, inputs, outputs, (golden.relative_tolerance, golden.absolute_tolerance)

    def _golden_input(self, golden: Message, index: int, kind: Message, dimensions: list[int]) -> np.ndarray:
        codes = code_scale(golden.input_quantization[index]) if golden.input_quantization else None
        if codes is None:
            return self._stored(golden.inputs[index], kind, dimensions)
        scale, zero_point = codes
        shape, span = self.shape(kind, dimensions), golden.inputs[index]
        stored = elements(self.weights[span.offset:span.offset + span.size], I8).reshape(shape)
        return np.float32(scale) * (stored.astype(np.float32) - np.float32(zero_point))

    def run(self, name: str, inputs: list[np.ndarray], states: list[np.ndarray] | None = None):
        """The outputs of a function, and the states after it. By default it starts from the file's states."""
        import operators

        function, states = self.functions[name], list(self.states if states is None else states)
        values = [*self.constants, *states, *inputs]
        stored = [*self.message.constants, *self.message.states, *function.inputs]
        codes = [code_scale(x.type.quantization) for x in stored]
        for node in function.nodes:
            if node.version:
                raise BadFile(f"version {node.version} of {node.operator}")
            given = [codes[i] for i in node.inputs]
            made = [code_scale(q) for q in node.output_quantization]
            if node.operator == "quantized_softmax":
                made = [(1 / 256, -128)]
            results = operators.run(node, [values[i] for i in node.inputs], given, made[0] if made else None)
            values.extend(results)
            if node.operator in MOVES:
                made = [given[MOVES[node.operator]]] * len(results)
            codes.extend(made or [None] * len(results))
        for update in function.updates:
            states[update.state] = values[update.operand]
        return [values[output.operand] for output in function.outputs], states
