"""Include/apus.h for ctypes: its enumerations, structs and functions, in the header's order.

Names are the header's without the prefix, in Python's case; Tests/PythonTests/test_abi.py holds the two equal.
"""

from __future__ import annotations

import ctypes
import functools
import os
from ctypes import CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_float, c_int, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from enum import IntEnum
from pathlib import Path
from typing import Any

VERSION = "1.0.0"
MAX_RANK = 8


class Status(IntEnum):
    """What became of a call: ``apus_status``."""

    OK = 0
    INVALID_ARGUMENT = 1
    IO_ERROR = 2
    BAD_FILE = 3
    UNSUPPORTED = 4
    BAD_SHAPE = 5
    OUT_OF_MEMORY = 6
    NOT_READY = 7
    THREAD_ERROR = 8


class DType(IntEnum):
    """The type of a tensor's elements: ``apus_dtype``."""

    F32 = 1
    F64 = 2
    F16 = 3
    BF16 = 4
    I8 = 5
    U8 = 6
    I16 = 7
    U16 = 8
    I32 = 9
    I64 = 10
    BOOL = 11
    I4 = 12
    U4 = 13


class Error(Structure):
    _fields_ = [("code", c_int), ("message", c_char * 508)]


class Model(Structure):
    """Opaque."""


class Session(Structure):
    """Opaque."""


class TensorInfo(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("dtype", c_int),
        ("rank", c_int32),
        ("shape", c_int64 * MAX_RANK),
        ("symbol", c_int32 * MAX_RANK),
        ("byte_size", c_size_t),
        ("scale", c_float),
        ("zero_point", c_int32),
    ]


class DimensionInfo(Structure):
    _fields_ = [("name", c_char_p), ("minimum", c_int64), ("maximum", c_int64)]


class DimensionLimit(Structure):
    _fields_ = [("name", c_char_p), ("maximum", c_int64)]


ParallelBody = CFUNCTYPE(None, c_void_p, c_size_t)
ParallelFor = CFUNCTYPE(None, c_void_p, c_size_t, ParallelBody, c_void_p)


class SessionOptions(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("threads", c_int32),
        ("parallel_for", ParallelFor),
        ("parallel_context", c_void_p),
        ("memory", c_void_p),
        ("memory_size", c_size_t),
        ("allocate", CFUNCTYPE(c_void_p, c_void_p, c_size_t, c_size_t)),
        ("release", CFUNCTYPE(None, c_void_p, c_void_p, c_size_t)),
        ("allocator_context", c_void_p),
        ("dimensions", POINTER(DimensionLimit)),
        ("dimension_count", c_size_t),
        ("profile", c_int32),
    ]


class ProfileEntry(Structure):
    _fields_ = [
        ("node", c_char_p),
        ("operator_name", c_char_p),
        ("isa", c_char_p),
        ("runs", c_uint64),
        ("nanoseconds", c_uint64),
        ("operations", c_uint64),
        ("bytes", c_uint64),
    ]


_error = POINTER(Error)
_model = POINTER(Model)
_session = POINTER(Session)
_options = POINTER(SessionOptions)
_size = POINTER(c_size_t)
_info = POINTER(TensorInfo)

# name: (result, arguments)
FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "apus_version": (c_char_p, ()),
    "apus_status_text": (c_char_p, (c_int,)),
    "apus_model_open": (c_int, (c_char_p, POINTER(_model), _error)),
    "apus_model_open_memory": (c_int, (c_void_p, c_size_t, POINTER(_model), _error)),
    "apus_model_close": (None, (_model,)),
    "apus_model_function_count": (c_size_t, (_model,)),
    "apus_model_function_name": (c_char_p, (_model, c_size_t)),
    "apus_model_find_function": (c_int, (_model, c_char_p, _size, _error)),
    "apus_model_input_count": (c_size_t, (_model, c_size_t)),
    "apus_model_output_count": (c_size_t, (_model, c_size_t)),
    "apus_model_input_info": (c_int, (_model, c_size_t, c_size_t, _info, _error)),
    "apus_model_output_info": (c_int, (_model, c_size_t, c_size_t, _info, _error)),
    "apus_model_find_input": (c_int, (_model, c_size_t, c_char_p, _size, _error)),
    "apus_model_find_output": (c_int, (_model, c_size_t, c_char_p, _size, _error)),
    "apus_model_dimension_count": (c_size_t, (_model,)),
    "apus_model_dimension_info": (c_int, (_model, c_size_t, POINTER(DimensionInfo), _error)),
    "apus_model_metadata_count": (c_size_t, (_model,)),
    "apus_model_metadata_key": (c_char_p, (_model, c_size_t)),
    "apus_model_metadata_value": (c_char_p, (_model, c_size_t)),
    "apus_model_metadata": (c_char_p, (_model, c_char_p)),
    "apus_session_options_init": (None, (_options,)),
    "apus_session_memory_size": (c_int, (_model, _options, _size, _error)),
    "apus_session_create": (c_int, (_model, _options, POINTER(_session), _error)),
    "apus_session_destroy": (None, (_session,)),
    "apus_session_set_dimension": (c_int, (_session, c_char_p, c_int64, _error)),
    "apus_session_input_info": (c_int, (_session, c_size_t, c_size_t, _info, _error)),
    "apus_session_output_info": (c_int, (_session, c_size_t, c_size_t, _info, _error)),
    "apus_session_set_input": (c_int, (_session, c_size_t, c_size_t, c_void_p, c_size_t, _error)),
    "apus_session_get_output": (c_int, (_session, c_size_t, c_size_t, c_void_p, c_size_t, _error)),
    "apus_session_input_data": (c_void_p, (_session, c_size_t, c_size_t)),
    "apus_session_output_data": (c_void_p, (_session, c_size_t, c_size_t)),
    "apus_session_bind_input": (c_int, (_session, c_size_t, c_size_t, c_void_p, c_size_t, _error)),
    "apus_session_bind_output": (c_int, (_session, c_size_t, c_size_t, c_void_p, c_size_t, _error)),
    "apus_session_run": (c_int, (_session, _error)),
    "apus_session_run_function": (c_int, (_session, c_size_t, _error)),
    "apus_session_reset_states": (c_int, (_session, _error)),
    "apus_session_states_size": (c_size_t, (_session,)),
    "apus_session_save_states": (c_int, (_session, c_void_p, c_size_t, _error)),
    "apus_session_load_states": (c_int, (_session, c_void_p, c_size_t, _error)),
    "apus_session_copy_states": (c_int, (_session, _session, _error)),
    "apus_session_fork": (c_int, (_session, _options, POINTER(_session), _error)),
    "apus_model_state_count": (c_size_t, (_model,)),
    "apus_model_state_info": (c_int, (_model, c_size_t, _info, _error)),
    "apus_session_state_data": (c_void_p, (_session, c_size_t)),
    "apus_session_profile_count": (c_size_t, (_session, c_size_t)),
    "apus_session_profile": (c_int, (_session, c_size_t, c_size_t, POINTER(ProfileEntry), _error)),
}


@functools.lru_cache(maxsize=None)
def library() -> ctypes.CDLL:
    """libapus: from APUS_LIBRARY, from beside this package, or from the system's loader."""
    beside = Path(__file__).with_name("libapus.so")
    named = os.environ.get("APUS_LIBRARY")
    candidates = [named] if named else [str(beside)] if beside.is_file() else ["libapus.so.1", "libapus.so"]
    reasons = []
    for candidate in candidates:
        try:
            loaded = ctypes.CDLL(candidate)
        except OSError as reason:
            reasons.append(str(reason))
            continue
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
        return loaded
    raise OSError(f"libapus was not found ({'; '.join(reasons)}): run `make lib` and set APUS_LIBRARY to build/libapus.so")
