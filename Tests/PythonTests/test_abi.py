"""The ctypes table of the package says what Include/apus.h says."""

import re
from pathlib import Path

import pytest
from apus import _abi
from header import Header, python_name

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "Include" / "apus.h").read_text()
HEADER = Header(TEXT, _abi)


def test_every_function_of_the_header_is_read():
    assert len(HEADER.functions) == len(re.findall("^APUS_API ", TEXT, flags=re.M))


def test_functions_in_the_headers_order():
    assert list(_abi.FUNCTIONS) == list(HEADER.functions)


@pytest.mark.parametrize("name", HEADER.functions)
def test_function(name):
    assert _abi.FUNCTIONS[name] == HEADER.functions[name]


@pytest.mark.parametrize("name", HEADER.structs)
def test_struct(name):
    assert getattr(_abi, python_name(name))._fields_ == HEADER.structs[name]


@pytest.mark.parametrize("name", HEADER.callbacks)
def test_callback(name):
    assert getattr(_abi, python_name(name)) is HEADER.callbacks[name]


def test_opaque_handles():
    assert HEADER.opaque == ["apus_model", "apus_session"]


def test_enumerations():
    assert {"APUS_" + one.name: one.value for one in _abi.Status} == HEADER.enums["apus_status"]
    assert {"APUS_" + one.name: one.value for one in _abi.DType} == HEADER.enums["apus_dtype"]


def test_constants():
    version = HEADER.constants["APUS_VERSION_STRING"]
    assert _abi.VERSION == version
    assert f'version = "{version}"' in (ROOT / "Bindings" / "python" / "pyproject.toml").read_text()
    assert version == ".".join(HEADER.constants[f"APUS_VERSION_{part}"] for part in ("MAJOR", "MINOR", "PATCH"))
    assert _abi.MAX_RANK == int(HEADER.constants["APUS_MAX_RANK"])


def test_a_changed_header_is_noticed():
    changed = Header(re.sub(r"apus_session_run\(apus_session \*", "apus_session_run(apus_model *", TEXT), _abi)
    assert changed.functions["apus_session_run"] != _abi.FUNCTIONS["apus_session_run"]
    wider = Header(TEXT.replace("int32_t zero_point", "int64_t zero_point"), _abi)
    assert wider.structs["apus_tensor_info"] != _abi.TensorInfo._fields_


