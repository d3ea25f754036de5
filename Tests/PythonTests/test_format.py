"""The tables of Docs/Format.md against the schema: nothing is missing, nothing is left over, every number is right.

And what all documents name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from reader import SCHEMA

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "Docs" / "Format.md").read_text()
DOCUMENTS = sorted((ROOT / "Docs").rglob("*.md"))


def rows(heading: str) -> list[list[str]]:
    """The rows of the first table under a heading."""
    start = re.search(rf"^#+ {re.escape(heading)}$", DOCUMENT, re.MULTILINE)
    assert start, f"no heading {heading!r}"
    text = re.split(r"^#", DOCUMENT[start.end():], flags=re.MULTILINE)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def numbered(heading: str) -> dict[int, str]:
    return {int(row[0]): code(row[1])[0] for row in rows(heading)}


@pytest.mark.parametrize("enum", SCHEMA.enums)
def test_enums(enum: str) -> None:
    assert numbered(f"`{enum}`") == SCHEMA.enums[enum]


def test_fields_of_the_model() -> None:
    assert numbered("`Model`") == {number: field.name for number, field in SCHEMA.messages["Model"].items()}


def test_operators() -> None:
    wanted = {n: (field.name, field.kind) for n, field in SCHEMA.messages["Node"].items() if field.choice}
    found = {int(row[0]): (code(row[1])[0], code(row[2])[0]) for row in rows("10. Operators")}
    assert found == wanted
    assert all(all(row) and len(row) == 6 for row in rows("10. Operators"))


def test_attributes() -> None:
    used = {field.kind for field in SCHEMA.messages["Node"].values() if field.choice} - {"NoAttributes"}
    found: dict[str, list[str]] = {}
    message = ""
    for row in rows("Attributes"):
        message = code(row[0])[0] if row[0] else message
        found.setdefault(message, []).extend(code(row[1]))
    assert found == {
        name: [field.name for field in SCHEMA.messages[name].values()] for name in sorted(used | {"Activation"})
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_documents_name_what_exists(document: Path) -> None:
    text = document.read_text()
    for path in re.findall(r"`((?:Sources|Tests|Include|scripts|Benchmarks|Docs|Examples)/[\w./+-]*)`", text):
        assert (ROOT / path).exists() or path.endswith("/Mod.swift"), path
    sources = "".join(path.read_text() for path in (ROOT / "Tests" / "ApusTests").rglob("*.swift"))
    for name in re.findall(r"`(test[A-Z]\w+)`", text):
        assert f"func {name}(" in sources, name


# Rows of the table of limits, and the constants that hold them.
LIMITS = {
    "header, bytes 0 ..< H": ("ApusRuntime/FileLimits.swift", "header"),
    "functions": ("ApusRuntime/FileLimits.swift", "functions"),
    "dimensions": ("ApusRuntime/FileLimits.swift", "dimensions"),
    "constants, states, and the inputs, nodes, outputs and updates of all functions together": (
        "ApusRuntime/FileLimits.swift", "values"),
    "inputs of all nodes together": ("ApusRuntime/FileLimits.swift", "operands"),
    "outputs of all nodes together": ("ApusRuntime/FileLimits.swift", "results"),
    "golden pairs": ("ApusRuntime/FileLimits.swift", "goldens"),
    "entries of metadata": ("ApusRuntime/FileLimits.swift", "metadata"),
    "labels": ("ApusRuntime/FileLimits.swift", "labels"),
    "memory of one function's values together": ("ApusRuntime/Binding.swift", "maximumMemory"),
    "rank": ("ApusGraph/Shape.swift", "maximumRank"),
    "strides of windows": ("ApusGraph/Operators/Base/SlidingWindow.swift", "maximumStride"),
    "dilations": ("ApusGraph/Operators/Base/SlidingWindow.swift", "maximumDilation"),
    "explicit padding of windows; an image's height or width with its padding": (
        "ApusGraph/Operators/Base/SlidingWindow.swift", "maximumExtent"),
    "kernel of a pool": ("ApusGraph/Operators/Base/Pooling.swift", "maximumKernel"),
    "elements of a random tensor": ("ApusGraph/Operators/Base/RandomSource.swift", "maximumCount"),
}  # fmt: skip


@pytest.mark.parametrize("what", LIMITS)
def test_limits(what: str) -> None:
    cell = next(row[1] for row in rows("13. Limits") if row[0] == what)
    base, power, less = re.findall(r"(\d+)([⁰¹²³⁴-⁹]*)( − 1)?", cell.removeprefix("1 … "))[0]
    digits = power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))
    file, name = LIMITS[what]
    source = (ROOT / "Sources" / file).read_text()
    constant = re.search(rf"static let {name} = \(?(\d+)(?: << (\d+))?\)?( - 1)?$", source, re.MULTILINE)
    assert constant, name
    found = (int(constant[1]) << int(constant[2] or 0)) - bool(constant[3])
    assert int(base) ** int(digits or 1) - bool(less) == found
