"""A model: what a file holds, read once when it is opened."""

from __future__ import annotations

import ctypes
import os
import weakref
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Optional, Union

import numpy as np

from . import _abi
from ._abi import Status
from ._session import Options, Session
from ._types import Dimension, Error, Function, TensorInfo, c_string, call

Buffer = Union[bytes, bytearray, memoryview]


class Model:
    """An .apus file, from a path or from bytes.

    A file is mapped and must not change while it is open; bytes are used in place and must not change either. A model is
    immutable and may be shared by threads. Closing it leaves its sessions usable.
    """

    def __init__(self, source: Union[str, os.PathLike[str], Buffer]) -> None:
        library = _abi.library()
        pointer = ctypes.POINTER(_abi.Model)()
        self._bytes: Optional[np.ndarray[Any, Any]] = None
        if isinstance(source, (bytes, bytearray, memoryview)):
            self._bytes = np.frombuffer(source, np.uint8)
            call("apus_model_open_memory", self._bytes.ctypes.data, self._bytes.size, ctypes.byref(pointer))
        else:
            call("apus_model_open", c_string(os.fsencode(source)), ctypes.byref(pointer))
        self._pointer = pointer
        self._close = weakref.finalize(self, library.apus_model_close, pointer)
        self._close.atexit = False

        self.dimensions = tuple(self._dimension(index) for index in range(library.apus_model_dimension_count(pointer)))
        self._symbols = tuple(dimension.name for dimension in self.dimensions)
        self.functions = tuple(self._function(index) for index in range(library.apus_model_function_count(pointer)))
        self.states = tuple(self._state(index) for index in range(library.apus_model_state_count(pointer)))
        self.metadata = {
            library.apus_model_metadata_key(pointer, index).decode():
                library.apus_model_metadata_value(pointer, index).decode()
            for index in range(library.apus_model_metadata_count(pointer))
        }  # fmt: skip

    def __repr__(self) -> str:
        functions = "; ".join(
            f"{one.name}({', '.join(map(str, one.inputs))}) -> {', '.join(map(str, one.outputs))}" for one in self.functions
        )
        return f"<apus.Model {functions}>"

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The inputs of the first function."""
        return self.functions[0].inputs

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """The outputs of the first function."""
        return self.functions[0].outputs

    def labels(self, output: Union[str, int] = 0) -> list[str]:
        """The class names of an output, given by name or by its index in the first function; empty when the file has none."""
        name = self.outputs[output].name if isinstance(output, int) else output
        text = self.metadata.get("labels." + name, "")
        return text.rstrip("\n").split("\n") if text else []

    def session(
        self,
        *,
        threads: int = 1,
        dimensions: Optional[Mapping[str, int]] = None,
        profile: bool = False,
        memory: Optional[np.ndarray[Any, np.dtype[np.uint8]]] = None,
    ) -> Session:
        """Working memory to run this model in.

        ``dimensions`` plans for smaller maxima of symbolic dimensions, and so for less memory. ``memory`` is where the
        session lives, such as ``aligned_empty(model.memory_size())``: aligned to 64, at least that size.
        """
        return Session(self, Options(threads, dimensions or {}, profile, memory))

    def memory_size(self, *, threads: int = 1, dimensions: Optional[Mapping[str, int]] = None, profile: bool = False) -> int:
        """Exactly the bytes that a session with these options uses."""
        size = ctypes.c_size_t()
        options = Options(threads, dimensions or {}, profile, None)
        call("apus_session_memory_size", self._open(), ctypes.byref(options.raw), ctypes.byref(size))
        return size.value

    def close(self) -> None:
        """Closes the file; what was read of it stays. Closing twice is allowed."""
        self._close()

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def _open(self) -> Any:
        if not self._close.alive:
            raise Error(Status.INVALID_ARGUMENT, "the model is closed")
        return self._pointer

    def _dimension(self, index: int) -> Dimension:
        raw = _abi.DimensionInfo()
        call("apus_model_dimension_info", self._pointer, index, ctypes.byref(raw))
        return Dimension(raw.name.decode(), raw.minimum, raw.maximum)

    def _state(self, index: int) -> TensorInfo:
        raw = _abi.TensorInfo()
        call("apus_model_state_info", self._pointer, index, ctypes.byref(raw))
        return TensorInfo._of(raw, self._symbols)

    def _function(self, index: int) -> Function:
        library = _abi.library()

        def tensors(kind: str) -> tuple[TensorInfo, ...]:
            count = getattr(library, f"apus_model_{kind}_count")(self._pointer, index)
            raw = (_abi.TensorInfo * count)()
            for position in range(count):
                call(f"apus_model_{kind}_info", self._pointer, index, position, ctypes.byref(raw[position]))
            return tuple(TensorInfo._of(one, self._symbols) for one in raw)

        name = library.apus_model_function_name(self._pointer, index).decode()
        return Function(name, tensors("input"), tensors("output"))
