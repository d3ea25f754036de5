"""A session: one model's working memory, its tensors in and out, and running it."""

from __future__ import annotations

import ctypes
import math
import operator
import threading
import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, SupportsIndex, Union, overload

import numpy as np
from numpy.typing import ArrayLike

from . import _abi
from ._abi import DType, Status
from ._types import Error, ProfileEntry, TensorInfo, c_integer, c_string, call

if TYPE_CHECKING:
    from ._model import Model

Array = np.ndarray[Any, np.dtype[Any]]
# Types that NumPy lacks: what their arrays hold.
_PACKED = {DType.BF16: "the bits", DType.I4: "two to a byte", DType.U4: "two to a byte"}
Name = Union[str, SupportsIndex]


class Options:
    """apus_session_options together with what its pointers point to."""

    def __init__(self, threads: int, dimensions: Mapping[str, int], profile: bool, memory: Optional[Array]) -> None:
        self.raw = _abi.SessionOptions()
        _abi.library().apus_session_options_init(ctypes.byref(self.raw))
        limits = (
            _abi.DimensionLimit(c_string(name.encode()), c_integer(f"dimension '{name}'", size, ctypes.c_int64))
            for name, size in dimensions.items()
        )
        self.limits = (_abi.DimensionLimit * len(dimensions))(*limits)
        self.raw.threads = c_integer("threads", threads, ctypes.c_int32)
        self.raw.profile = profile
        self.raw.dimensions = ctypes.cast(self.limits, ctypes.POINTER(_abi.DimensionLimit))
        self.raw.dimension_count = len(self.limits)
        self.memory = memory
        if memory is not None:
            if not (isinstance(memory, np.ndarray) and memory.flags.c_contiguous and memory.flags.writeable):
                raise Error(Status.INVALID_ARGUMENT, "memory: what is no contiguous and writable array found")
            self.raw.memory = memory.ctypes.data
            self.raw.memory_size = memory.nbytes


class _Handle:
    """The C session and what it uses; destroyed when the Session and the last view of its memory are gone.

    In a ``with`` it belongs to this thread and lives, whoever closes the Session meanwhile; to others it is refused.
    """

    def __init__(self, pointer: Any, *used: object) -> None:
        self.pointer = pointer
        self.used = used
        self.bound: dict[tuple[str, int, int], Array] = {}
        self.lock = threading.RLock()
        weakref.finalize(self, _abi.library().apus_session_destroy, pointer).atexit = False

    def __enter__(self) -> _Handle:
        if not self.lock.acquire(blocking=False):
            raise Error(Status.INVALID_ARGUMENT, "the session is in use by another thread; each wants one of its own")
        return self

    def __exit__(self, *_: object) -> None:
        self.lock.release()


class _Memory:
    """A tensor in a session's memory, offered to NumPy."""

    def __init__(self, handle: _Handle, address: int, info: TensorInfo, read_only: bool) -> None:
        self.handle = handle
        self.__array_interface__ = {
            "version": 3, "data": (address, read_only), "shape": info.array_shape, "typestr": info.dtype.str,
        }  # fmt: skip


class Session:
    """Made by ``Model.session``; belongs to one thread at a time, and is refused to another meanwhile.

    Functions and tensors are given by name or index; ``function`` is the first unless said otherwise. Functions share
    memory: set the inputs of one, run it and read its outputs before another is given inputs.
    """

    def __init__(self, model: Model, options: Options) -> None:
        pointer = ctypes.POINTER(_abi.Session)()
        call("apus_session_create", model._open(), ctypes.byref(options.raw), ctypes.byref(pointer))
        self._handle: Optional[_Handle] = _Handle(pointer, model._bytes, options.memory)
        self._functions = model.functions
        self._states = model.states
        self._symbols = model._symbols

    def __repr__(self) -> str:
        return f"<apus.Session of {', '.join(one.name for one in self._functions)}{'' if self._handle else ', closed'}>"

    # ---- Running

    @overload
    def run(self, inputs: Mapping[str, ArrayLike], /, *, function: Name = 0) -> dict[str, Array]: ...
    @overload
    def run(self, *inputs: ArrayLike, function: Name = 0) -> list[Array]: ...

    def run(self, *inputs: Any, function: Name = 0) -> Union[dict[str, Array], list[Array]]:
        """Copies arrays in, runs, and copies the outputs out: a dict gives a dict, arrays in order give a list.

        Symbolic dimensions take the arrays' sizes. Inputs that were bound or written before may be left out of a dict; one that
        is given is no longer bound. The result of a bound output is the bound array.
        """
        index = self._function(function)
        wanted = self._functions[index].inputs
        by_name = len(inputs) == 1 and isinstance(inputs[0], Mapping)
        if by_name:
            given = {self._tensor(index, "input", name): value for name, value in inputs[0].items()}
        elif len(inputs) == len(wanted):
            given = dict(enumerate(inputs))
        else:
            names = ", ".join(map(str, wanted))
            raise Error(Status.INVALID_ARGUMENT, f"{len(inputs)} inputs found, {len(wanted)} wanted: {names}")
        arrays = {tensor: _typed(wanted[tensor], value) for tensor, value in given.items()}
        sizes = self._sizes(wanted, arrays)
        with self._open() as handle:
            for tensor in arrays:
                if ("input", index, tensor) in handle.bound:
                    self._bind("input", index, tensor, None)
            for symbol, size in sizes.items():
                self.set_dimension(symbol, size)
            for tensor, array in arrays.items():
                array = np.ascontiguousarray(array)
                self._call("apus_session_set_input", index, tensor, array.ctypes.data, array.nbytes)
            self.execute(function=index)
            outputs = self._functions[index].outputs
            results = [self._result(index, tensor) for tensor in range(len(outputs))]
        return {info.name: result for info, result in zip(outputs, results)} if by_name else results

    def execute(self, *, function: Name = 0) -> None:
        """Runs on what the input views and bound arrays hold; copies and allocates nothing."""
        self._call("apus_session_run_function", self._function(function))

    # ---- Tensors without copies

    def input(self, name: Name, *, function: Name = 0) -> Array:
        """A writable view of an input at the current dimensions; asking for it counts as setting it."""
        return self._view("input", function, name)

    def output(self, name: Name, *, function: Name = 0) -> Array:
        """A read-only view of an output at the current dimensions; of the array bound to it where there is one."""
        return self._view("output", function, name)

    def bind_input(self, name: Name, array: Optional[Array], *, function: Name = 0) -> None:
        """Reads an input from this array in later runs, until ``run`` is given the input; None returns to the session's memory."""
        index = self._function(function)
        self._bind("input", index, self._tensor(index, "input", name), array)

    def bind_output(self, name: Name, array: Optional[Array], *, function: Name = 0) -> None:
        """Writes an output into this array in every later run; None returns to the session's own memory."""
        index = self._function(function)
        self._bind("output", index, self._tensor(index, "output", name), array)

    def input_info(self, name: Name, *, function: Name = 0) -> TensorInfo:
        """An input with its shape at the current dimensions."""
        return self._info("input", self._function(function), name)

    def output_info(self, name: Name, *, function: Name = 0) -> TensorInfo:
        """An output with its shape at the current dimensions."""
        return self._info("output", self._function(function), name)

    def set_dimension(self, name: str, size: int) -> None:
        """Sets the current size of a symbolic dimension; views made before keep the shape they have."""
        size = c_integer(f"dimension '{name}'", size, ctypes.c_int64)
        self._call("apus_session_set_dimension", c_string(name.encode()), size)

    # ---- States and profile

    def reset_states(self) -> None:
        """Puts every state back to the value in the file."""
        self._call("apus_session_reset_states")

    def save_states(self) -> bytes:
        """All states, to be loaded into a session of the same model."""
        with self._open() as handle:
            data = ctypes.create_string_buffer(_abi.library().apus_session_states_size(handle.pointer))
            self._call("apus_session_save_states", data, len(data))
        return data.raw

    def load_states(self, states: Union[bytes, bytearray, memoryview]) -> None:
        """Takes the states that ``save_states`` gave."""
        data = np.frombuffer(states, np.uint8)
        self._call("apus_session_load_states", data.ctypes.data, data.size)

    def copy_states(self, source: Session) -> None:
        """Takes the states of another session of the same model; from then on both continue on their own."""
        with source._open() as handle:
            self._call("apus_session_copy_states", handle.pointer)

    def fork(
        self,
        *,
        threads: int = 1,
        dimensions: Optional[Mapping[str, int]] = None,
        profile: bool = False,
        memory: Optional[np.ndarray[Any, np.dtype[np.uint8]]] = None,
    ) -> Session:
        """A session that continues where this one stands; the options are those of ``Model.session``."""
        options = Options(threads, dimensions or {}, profile, memory)
        pointer = ctypes.POINTER(_abi.Session)()
        self._call("apus_session_fork", ctypes.byref(options.raw), ctypes.byref(pointer))
        copy = Session.__new__(Session)
        copy._handle = _Handle(pointer, *self._open().used[:1], memory)
        copy._functions, copy._states, copy._symbols = self._functions, self._states, self._symbols
        return copy

    def state(self, name: Name) -> Array:
        """A writable view of a state, by its name in ``Model.states`` or its index."""
        index = _find([one.name for one in self._states], "state", name)
        handle = self._open()
        address = _abi.library().apus_session_state_data(handle.pointer, index)
        return np.asarray(_Memory(handle, address, self._states[index], False))

    def profile(self, *, function: Name = 0) -> list[ProfileEntry]:
        """The steps of a function in running order; empty unless the session was made with ``profile=True``."""
        index = self._function(function)
        entries = []
        with self._open() as handle:
            count = _abi.library().apus_session_profile_count(handle.pointer, index)
        for step in range(count):
            raw = _abi.ProfileEntry()
            self._call("apus_session_profile", index, step, ctypes.byref(raw))
            entries.append(
                ProfileEntry(
                    raw.node.decode(), raw.operator_name.decode(), raw.isa.decode(),
                    raw.runs, raw.nanoseconds, raw.operations, raw.bytes,
                )
            )  # fmt: skip
        return entries

    # ---- Lifetime

    def close(self) -> None:
        """Gives the memory back, once no view of it is left. Closing twice is allowed."""
        self._handle = None

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def _open(self) -> _Handle:
        if self._handle is None:
            raise Error(Status.INVALID_ARGUMENT, "the session is closed")
        return self._handle

    def _call(self, function: str, *arguments: Any) -> None:
        with self._open() as handle:
            call(function, handle.pointer, *arguments)

    # ---- Lookups and checks

    def _function(self, function: Name) -> int:
        return _find([one.name for one in self._functions], "function", function)

    def _tensor(self, function: int, kind: str, name: Name) -> int:
        tensors = self._functions[function].inputs if kind == "input" else self._functions[function].outputs
        return _find([one.name for one in tensors], kind, name)

    def _info(self, kind: str, function: int, name: Name) -> TensorInfo:
        raw = _abi.TensorInfo()
        tensor = self._tensor(function, kind, name)
        self._call(f"apus_session_{kind}_info", function, tensor, ctypes.byref(raw))
        return TensorInfo._of(raw, self._symbols)

    def _sizes(self, wanted: Sequence[TensorInfo], arrays: Mapping[int, Array]) -> dict[str, int]:
        """The sizes that arrays give symbolic dimensions; raises Error naming the array that does not fit."""
        sizes: dict[str, tuple[int, str]] = {}
        for tensor, array in arrays.items():
            info = wanted[tensor]
            if info.array_shape is not info.shape:
                continue
            agrees = array.ndim == len(info.shape) and all(
                symbol or size == found for symbol, size, found in zip(info.dimensions, info.shape, array.shape)
            )
            if not agrees:
                raise _mismatch(info, "shape", array.shape, str(info).partition(" ")[2].partition(" ")[2])
            for symbol, size in zip(info.dimensions, array.shape):
                if symbol and sizes.setdefault(symbol, (size, info.name))[0] != size:
                    first, other = sizes[symbol]
                    raise _mismatch(info, symbol, size, f"{first}, as in input '{other}',")
        return {symbol: size for symbol, (size, _) in sizes.items()}

    def _view(self, kind: str, function: Name, name: Name) -> Array:
        index = self._function(function)
        tensor = self._tensor(index, kind, name)
        with self._open() as handle:
            if (kind, index, tensor) in handle.bound:
                return _shaped(handle.bound[kind, index, tensor], self._info(kind, index, tensor))
            address = getattr(_abi.library(), f"apus_session_{kind}_data")(handle.pointer, index, tensor)
        if address is None:
            raise Error(Status.INVALID_ARGUMENT, f"{kind} '{name}' has no memory in the session")
        return np.asarray(_Memory(handle, address, self._info(kind, index, tensor), kind == "output"))

    def _bind(self, kind: str, function: int, tensor: int, array: Optional[Array]) -> None:
        handle = self._open()
        address, size = None, 0
        if array is not None:
            info = self._info(kind, function, tensor)
            if not isinstance(array, np.ndarray):
                raise _mismatch(info, "dtype", type(array).__name__, "a NumPy array", kind)
            _typed(info, array, kind)
            if array.shape != info.array_shape:
                raise _mismatch(info, "shape", array.shape, info.array_shape, kind)
            if not array.flags.c_contiguous or (kind == "output" and not array.flags.writeable):
                wanted = "contiguous" if kind == "input" else "contiguous and writable"
                raise Error(Status.INVALID_ARGUMENT, f"{kind} '{info.name}': an array found that is not {wanted}")
            address, size = array.ctypes.data, array.nbytes
        self._call(f"apus_session_bind_{kind}", function, tensor, address, size)
        handle.bound.pop((kind, function, tensor), None)
        if array is not None:
            handle.bound[kind, function, tensor] = array

    def _result(self, function: int, tensor: int) -> Array:
        bound = self._open().bound.get(("output", function, tensor))
        info = self._info("output", function, tensor)
        if bound is not None:
            return _shaped(bound, info)
        result = np.empty(info.array_shape, info.dtype)
        self._call("apus_session_get_output", function, tensor, result.ctypes.data, result.nbytes)
        return result


def _find(names: Sequence[str], kind: str, wanted: Name) -> int:
    if isinstance(wanted, str) and wanted in names:
        return names.index(wanted)
    if isinstance(wanted, SupportsIndex) and 0 <= operator.index(wanted) < len(names):
        return operator.index(wanted)
    raise Error(Status.INVALID_ARGUMENT, f"no {kind} {wanted!r}; the model has {', '.join(map(repr, names)) or 'none'}")


def _shaped(bound: Array, info: TensorInfo) -> Array:
    """What a bound array holds of a tensor at its current shape: the array itself, or its first elements."""
    shape = info.array_shape
    return bound if bound.shape == shape else bound.reshape(-1)[: math.prod(shape)].reshape(shape)


def _typed(info: TensorInfo, value: Any, kind: str = "input") -> Array:
    """An array of the tensor's type: NumPy arrays as they are; lists and numbers converted, where none loses its fraction."""
    if isinstance(value, np.ndarray):
        if value.dtype != info.dtype:
            raise _mismatch(info, "dtype", value.dtype, info.dtype, kind)
        return value
    if info.type in _PACKED:
        raise _mismatch(info, "dtype", type(value).__name__, f"a NumPy array of {info.dtype}, {_PACKED[info.type]},", kind)
    found = np.asarray(value)
    kinds = {"f": "biuf", "i": "biu", "u": "biu", "b": "b"}[info.dtype.kind]
    if found.size > 0 and found.dtype.kind not in kinds:
        raise _mismatch(info, "dtype", found.dtype, info.dtype, kind)
    if found.size > 0 and info.dtype.kind in "iu":
        limits = np.iinfo(info.dtype)
        if found.min() < limits.min or found.max() > limits.max:
            raise _mismatch(info, "dtype", f"{found.dtype} of {found.min()} to {found.max()}", info.dtype, kind)
    return found.astype(info.dtype)


def _mismatch(info: TensorInfo, what: str, found: object, wanted: object, kind: str = "input") -> Error:
    status = Status.INVALID_ARGUMENT if what == "dtype" else Status.BAD_SHAPE
    return Error(status, f"{kind} '{info.name}': {what} {found} found, {wanted} wanted")
