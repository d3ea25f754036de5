"""What the package hands out: errors and descriptions, as plain immutable values."""

from __future__ import annotations

import ctypes
import operator
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from . import _abi
from ._abi import DType, Status

_NUMPY = {
    DType.F32: np.float32, DType.F64: np.float64, DType.F16: np.float16, DType.BF16: np.uint16,
    DType.I8: np.int8, DType.U8: np.uint8, DType.I16: np.int16, DType.U16: np.uint16,
    DType.I32: np.int32, DType.I64: np.int64, DType.BOOL: np.bool_, DType.I4: np.uint8, DType.U4: np.uint8,
}  # fmt: skip


class Error(Exception):
    """A refused call. ``status`` says of which kind; the message names the tensor, the value found and the one wanted."""

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, str(self))


def call(function: str, *arguments: Any) -> None:
    """Calls a function of apus.h whose last parameter is an ``apus_error *``; raises Error unless it succeeds."""
    error = _abi.Error()
    status = getattr(_abi.library(), function)(*arguments, ctypes.byref(error))
    if status != Status.OK:
        raise Error(Status(status), error.message.decode("utf-8", "replace"))


def c_string(text: bytes) -> bytes:
    """A text that C reads to its end: one with a NUL in it is refused."""
    if b"\0" in text:
        raise Error(Status.INVALID_ARGUMENT, f"a NUL found in {text!r}")
    return text


def c_integer(what: str, value: Any, kind: Any) -> int:
    """An integer that an integer type of ctypes holds; others are refused by what they are for."""
    number = operator.index(value)
    if kind(number).value != number:
        raise Error(Status.INVALID_ARGUMENT, f"{what} of {number} found, an integer of {8 * ctypes.sizeof(kind)} bits wanted")
    return number


@dataclass(frozen=True)
class TensorInfo:
    """One input or output.

    ``shape`` holds sizes: symbolic dimensions at their maximum when asked of a model, as set when asked of a session.
    ``dimensions`` holds, for each, the symbol's name, or None where the size is fixed. ``dtype`` is NumPy's view of
    ``type``: bf16 is uint16 bits, int4 is packed uint8. ``scale`` is 0 when the tensor is not quantized as a whole.
    """

    name: str
    type: DType
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    dimensions: tuple[Union[str, None], ...]
    byte_size: int
    scale: float
    zero_point: int

    def __str__(self) -> str:
        sizes = ", ".join(symbol or str(size) for symbol, size in zip(self.dimensions, self.shape))
        return f"{self.name}: {self.type.name.lower()} [{sizes}]"

    @property
    def array_shape(self) -> tuple[int, ...]:
        """The shape of the NumPy array: the tensor's, or the bytes of a packed int4 tensor."""
        return (self.byte_size,) if self.type in (DType.I4, DType.U4) else self.shape

    @classmethod
    def _of(cls, raw: _abi.TensorInfo, symbols: tuple[str, ...]) -> TensorInfo:
        rank, kind = raw.rank, DType(raw.dtype)
        return cls(
            name=raw.name.decode(),
            type=kind,
            dtype=np.dtype(_NUMPY[kind]),
            shape=tuple(raw.shape[:rank]),
            dimensions=tuple(symbols[index] if index >= 0 else None for index in raw.symbol[:rank]),
            byte_size=raw.byte_size,
            scale=raw.scale,
            zero_point=raw.zero_point,
        )


@dataclass(frozen=True)
class Dimension:
    """A symbolic dimension and the sizes the file allows for it."""

    name: str
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Function:
    """One of a model's functions: ``predict`` in a file made for inference."""

    name: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]


@dataclass(frozen=True)
class ProfileEntry:
    """One step of a function: time over all runs; operations (2 for a multiply-add) and bytes of one run."""

    node: str
    operator: str
    isa: str
    runs: int
    nanoseconds: int
    operations: int
    bytes: int


def aligned_empty(size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """``size`` bytes aligned to 64, as ``Model.session(memory=…)`` wants them."""
    block = np.empty(size + 63, np.uint8)
    start = -block.ctypes.data % 64
    return block[start : start + size]
