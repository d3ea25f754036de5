"""Reads Include/apus.h into ctypes: just enough of C for the declarations that the header uses."""

from __future__ import annotations

import ctypes
import re
from typing import Any

SCALARS = {
    "void": None, "char": ctypes.c_char, "int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64,
    "uint64_t": ctypes.c_uint64, "size_t": ctypes.c_size_t, "float": ctypes.c_float,
}  # fmt: skip


def python_name(name: str) -> str:
    """apus_tensor_info → TensorInfo"""
    return "".join(word.title() for word in name.split("_")[1:])


class Header:
    """The header's constants, enumerations, structs and functions; named types are looked up in `module`."""

    def __init__(self, text: str, module: Any) -> None:
        self.module = module
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        self.constants = {
            name: value.strip('"') for name, value in re.findall(r"^#define (APUS_[A-Z_]+) +(\S+)$", text, flags=re.M)
        }
        text = " ".join(line for line in text.splitlines() if not line.startswith("#"))
        text = text.replace('extern "C" {', " ")
        self.enums = {
            name: dict((key, int(value)) for key, value in re.findall(r"(\w+) = (\d+)", body))
            for body, name in re.findall(r"typedef enum \w+ \{([^}]*)\} (\w+);", text)
        }
        structs = re.findall(r"typedef struct \w+ \{([^}]*)\} (\w+);", text)
        rest = re.sub(r"typedef (enum|struct) \w+ \{[^}]*\} \w+;", " ", text)
        self.opaque = re.findall(r"typedef struct (\w+) \1;", rest)
        self.callbacks = {
            name: self.function_type(result, parameters)
            for result, name, parameters in re.findall(r"typedef (\w+) \(\*(\w+)\)\(([^)]*)\);", rest)
        }
        self.functions = {
            name: (self.type_of(result), tuple(self.parameters(parameters)))
            for result, name, parameters in re.findall(r"APUS_API ([\w \*]+?)\b(apus_\w+)\(([^)]*)\);", rest)
        }
        self.structs = {name: list(self.fields(body)) for body, name in structs}

    def type_of(self, text: str) -> Any:
        """The ctypes type of a C type without a declarator."""
        stars = text.count("*")
        name = text.replace("*", " ").replace("const", " ").strip()
        if name in self.enums:
            base: Any = ctypes.c_int
        elif name in SCALARS:
            base = SCALARS[name]
        else:
            base = getattr(self.module, python_name(name))
        if stars and base is None:
            base, stars = ctypes.c_void_p, stars - 1
        if stars and base is ctypes.c_char:
            base, stars = ctypes.c_char_p, stars - 1
        for _ in range(stars):
            base = ctypes.POINTER(base)
        return base

    def parameters(self, text: str) -> list[Any]:
        if text.strip() == "void":
            return []
        return [self.type_of(re.sub(r"\w+$", "", one.strip())) for one in text.split(",")]

    def function_type(self, result: str, parameters: str) -> Any:
        return ctypes.CFUNCTYPE(self.type_of(result), *self.parameters(parameters))

    def fields(self, body: str) -> Any:
        for one in filter(None, map(str.strip, body.split(";"))):
            callback = re.fullmatch(r"(\w+ ?\**)\(\*(\w+)\)\(([^)]*)\)", one)
            if callback:
                yield callback[2], self.function_type(callback[1], callback[3])
                continue
            first, *more = one.split(",")
            kind = re.sub(r"\w+(\[\w+\])?$", "", first)
            for declarator in [first[len(kind) :], *map(str.strip, more)]:
                name, count = re.fullmatch(r"(\w+)(?:\[(\w+)\])?", declarator).groups()  # type: ignore[union-attr]
                base = self.type_of(kind)
                yield name, base * int(self.constants.get(count, count)) if count else base
