#!/usr/bin/env python3
"""Writes what tokenizers know of Unicode: Bindings/python/apus/_unicode.py, Bindings/cpp/apus_unicode.hpp and
Sources/Apus/Text/UnicodeTables.swift.

    python3 -m venv build/unicode-venv && build/unicode-venv/bin/pip install tokenizers
    build/unicode-venv/bin/python scripts/unicode-tables.py

Vocabularies are trained with the library `tokenizers`, whose classes of characters are those of a Unicode of long ago
and will stay so. Its answers for every character are therefore the source, and the tables give the same tokens whatever
Unicode the Python at hand knows.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Callable, Iterable

import tokenizers
from tokenizers import normalizers, pre_tokenizers

ROOT = Path(__file__).resolve().parents[1]
CHARACTERS = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]

# Classes of characters; every character is in one.
OTHER, SPACE, REMOVED, PUNCTUATION, MARK, CHINESE = range(6)


def between_letters(normalize: Callable[[str], str], code: int) -> str:
    return normalize(f"a{chr(code)}a")[1:-1]


def bert(**chosen: bool) -> Callable[[str], str]:
    options = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False) | chosen
    return normalizers.BertNormalizer(**options).normalize_str


def classes() -> list[int]:
    clean, chinese = bert(clean_text=True), bert(handle_chinese_chars=True)
    strip, split = bert(strip_accents=True), pre_tokenizers.BertPreTokenizer().pre_tokenize_str

    def class_of(code: int) -> int:
        cleaned = between_letters(clean, code)
        if cleaned != chr(code) or code == ord(" "):
            return SPACE if cleaned == " " else REMOVED
        if between_letters(chinese, code) != chr(code):
            return CHINESE
        if between_letters(strip, code) == "":
            return MARK
        return PUNCTUATION if len(split(f"a{chr(code)}a")) == 3 else OTHER

    return [class_of(code) for code in CHARACTERS]


LETTER, NUMBER, BLANK, SYMBOL = range(4)


def piece_classes() -> list[int]:
    """What GPT-2's pre-tokenizer tells apart."""
    pieces = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True).pre_tokenize_str

    def class_of(code: int) -> int:
        for kind, before in ((LETTER, "a"), (NUMBER, "1"), (SYMBOL, "!")):
            if len(pieces(before + chr(code))) == 1:
                return kind
        return BLANK

    return [class_of(code) for code in CHARACTERS]


def marks() -> list[bool]:
    """What stands on or beside the letter before it, and is a part of its word."""
    return [unicodedata.category(chr(code))[0] == "M" for code in CHARACTERS]


def runs(values: Iterable[int]) -> list[tuple[int, int]]:
    """(first character, value) of each run of characters of equal value."""
    result: list[tuple[int, int]] = []
    for code, value in zip(CHARACTERS, values):
        if not result or result[-1][1] != value:
            result.append((code, value))
    return result


def decompositions() -> list[tuple[int, int, int]]:
    """(character, first, second or 0) of one step of each canonical decomposition; those of Hangul follow a formula."""
    nfd = normalizers.NFD().normalize_str
    result = []
    for code in CHARACTERS:
        if 0xAC00 <= code <= 0xD7A3 or between_letters(nfd, code) == chr(code):
            continue
        parts = [int(part, 16) for part in unicodedata.decomposition(chr(code)).split()]
        result.append((code, parts[0], parts[1] if len(parts) > 1 else 0))
    return result


def combining_classes() -> list[int]:
    """By which marks in a row are sorted."""
    nfd = normalizers.NFD().normalize_str

    def known(code: int) -> bool:
        """Whether the library sorts it before U+0345, of the highest class."""
        return code == 0x345 or nfd(f"a\u0345{chr(code)}") != f"a\u0345{chr(code)}"

    values = ((code, unicodedata.combining(chr(code))) for code in CHARACTERS)
    return [value if value and known(code) else 0 for code, value in values]


def lowercase() -> list[tuple[int, int, int, int]]:
    """(first, last, step, distance) of runs of characters whose lowercase is one character as far away.

    The one of several characters, that of U+0130, is written in code.
    """
    lower = normalizers.Lowercase().normalize_str
    result: list[tuple[int, int, int, int]] = []
    for code in CHARACTERS:
        small = between_letters(lower, code)
        if small == chr(code) or code == 0x130:
            continue
        distance = ord(small) - code
        first, last, step, same = result[-1] if result else (0, 0, 0, 0)
        if same == distance and (code - last == step or (first == last and code - last <= 2)):
            result[-1] = (first, code, code - last, distance)
        else:
            result.append((code, code, 1, distance))
    return result


def wrapped(items: Iterable[str], width: int = 118) -> str:
    lines = [""]
    for item in items:
        if len(lines[-1]) + len(item) > width:
            lines.append("")
        lines[-1] += item
    return "\n".join(line.rstrip() for line in lines)


def main() -> None:
    names = ["OTHER", "SPACE", "REMOVED", "PUNCTUATION", "MARK", "CHINESE"]
    source = f"Written by scripts/unicode-tables.py, from tokenizers {tokenizers.__version__}."
    class_runs = runs(classes())
    meaning = "Runs of characters of one class: the first character and the class."

    piece_runs = runs(piece_classes())
    piece_meaning = "Runs of letters, numbers, blanks and all else (0 ... 3), as byte-level BPE splits text at them"
    python = f'"""Classes of characters as WordPiece tokenizers know them. {source}"""\n\n'
    python += f"{', '.join(names)} = range({len(names)})\n\n# {meaning}\nCLASSES = \"\"\"\n"
    python += wrapped(f"{code:x}:{value} " for code, value in class_runs) + '\n"""\n'
    python += f"\n# {piece_meaning}.\nPIECES = \"\"\"\n" + wrapped(f"{code:x}:{value} " for code, value in piece_runs) + '\n"""\n'
    for comment, name, values in (tables := [
        ("Runs of one canonical combining class: first:class", "combining",
         [f"{code:x}:{value:x} " for code, value in runs(combining_classes())]),
        ("Runs of marks (1) and of all else (0): first:class", "marks", [f"{code:x}:{value:x} " for code, value in runs(marks())]),
        ("One step of canonical decompositions: character:first:second, which may be 0", "decompositions",
         [f"{code:x}:{first:x}:{second:x} " for code, first, second in decompositions()]),
        ("Every step-th character of first ... last, by how far away its lowercase is: first:last:step:distance", "lowercase",
         [f"{first:x}:{last:x}:{step:x}:{'-' if distance < 0 else ''}{abs(distance):x} "
          for first, last, step, distance in lowercase()]),
    ]):  # fmt: skip
        python += f"\n# {comment}; hexadecimal.\n{name.upper()} = \"\"\"\n" + wrapped(values) + '\n"""\n'
    (ROOT / "Bindings/python/apus/_unicode.py").write_text(python)

    swift = f"/// Characters as tokenizers know them. {source}\nenum UnicodeTables {{"
    for comment, name, values in (
        ("Runs of other, spaces, removed, punctuation, marks, Chinese (0 ... 5): first:class", "classes",
         (f"{code:x}:{value} " for code, value in class_runs)),
        (f"{piece_meaning}: first:class", "pieces", (f"{code:x}:{value} " for code, value in piece_runs)),
        *tables,
    ):  # fmt: skip
        swift += f'\n    /// {comment}; hexadecimal.\n    static let {name} = """\n'
        swift += "\n".join(f"        {line} " for line in wrapped(values, 108).split("\n")) + '\n        """\n'
    (ROOT / "Sources/Apus/Text/UnicodeTables.swift").write_text(swift + "}\n")

    def table(comment: str, kind: str, name: str, values: Iterable[str]) -> str:
        return f"\n// {comment}\ninline constexpr {kind} {name}[] = {{\n{wrapped(f'{value},' for value in values)}\n}};\n"

    enumerators = ", ".join(name.lower() for name in names)
    header = f"// Characters as WordPiece tokenizers know them. {source}\n"
    header += "#ifndef APUS_UNICODE_HPP\n#define APUS_UNICODE_HPP\n\n#include <cstdint>\n\n"
    header += f"namespace apus::unicode {{\n\nenum Class {{ {enumerators} }};\n"
    header += table(
        f"{meaning[:-1]}: character << 3 | class.", "std::uint32_t", "classes",
        (f"{code << 3 | value:#x}" for code, value in class_runs))  # fmt: skip
    header += "\n// As byte-level BPE splits text.\nenum Piece { letter, number, blank, symbol };\n"
    header += table(
        "Runs of characters of one kind of piece: character << 2 | kind.", "std::uint32_t", "piece_runs",
        (f"{code << 2 | value:#x}" for code, value in piece_runs))  # fmt: skip
    header += table(
        "Runs of characters of one canonical combining class: character << 8 | class.", "std::uint32_t", "combining",
        (f"{code << 8 | value:#x}" for code, value in runs(combining_classes())))  # fmt: skip
    header += table(
        "Runs of marks (1) and of all else (0): character << 1 | class.", "std::uint32_t", "mark_runs",
        (f"{code << 1 | value:#x}" for code, value in runs(marks())))  # fmt: skip
    header += table(
        "One step of canonical decompositions: character << 42 | first << 21 | second, which may be 0.",
        "std::uint64_t", "decompositions",
        (f"{code << 42 | first << 21 | second:#x}" for code, first, second in decompositions()))  # fmt: skip
    header += "\nstruct Lowercase {\n    std::uint32_t first, last, step;\n    std::int32_t distance;\n};\n"
    header += table(
        "Every step-th character of first ... last, by how far away its lowercase is.", "Lowercase", "lowercase",
        (f"{{{first:#x},{last:#x},{step},{distance}}}" for first, last, step, distance in lowercase()))  # fmt: skip
    header += "\n}  // namespace apus::unicode\n\n#endif\n"
    (ROOT / "Bindings/cpp/apus_unicode.hpp").write_text(header)


main()
