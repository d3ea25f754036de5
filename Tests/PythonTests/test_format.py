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
