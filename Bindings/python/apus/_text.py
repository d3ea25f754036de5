"""What tokenizers know of characters, whatever Unicode the Python at hand knows: sets of them, lowercase, normalization form D."""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from typing import Callable

from ._unicode import COMBINING, DECOMPOSITIONS, LOWERCASE


def table(text: str) -> list[tuple[int, ...]]:
    """The rows of a table of hexadecimal numbers."""
    return [tuple(int(part, 16) for part in entry.split(":")) for entry in text.split()]


class Runs:
    """The value of every character, from a table of the first of each run and the run's value."""

    def __init__(self, text: str) -> None:
        rows = table(text)
        self.firsts, self.values = [first for first, _ in rows], [value for _, value in rows]

    def __getitem__(self, character: str) -> int:
        return self.values[bisect.bisect_right(self.firsts, ord(character)) - 1]

    def pattern(self, values: Sequence[int]) -> str:
        """The characters of these values, as a set of a regular expression has them."""
        ends = [*self.firsts[1:], 0x110000]
        return "".join(
            f"\\U{first:08x}-\\U{end - 1:08x}" for first, end, value in zip(self.firsts, ends, self.values) if value in values
        )


class Translation(dict[int, str]):
    """A table for str.translate that remembers what a function made of each character."""

    def __init__(self, function: Callable[[str], str]) -> None:
        super().__init__()
        self.function = function

    def __missing__(self, code: int) -> str:
        self[code] = result = self.function(chr(code))
        return result


_lowercase = table(LOWERCASE)
_lowercase_lasts = [last for _, last, _, _ in _lowercase]


def small(character: str) -> str:
    """The lowercase of a character."""
    code = ord(character)
    if code == 0x130:
        return "i\u0307"
    place = bisect.bisect_left(_lowercase_lasts, code)
    if place == len(_lowercase):
        return character
    first, _, step, distance = _lowercase[place]
    return chr(code + distance) if code >= first and (code - first) % step == 0 else character


_decompositions = {character: "".join(map(chr, filter(None, parts))) for character, *parts in table(DECOMPOSITIONS)}
_combining = Runs(COMBINING)
# Several characters that have a combining class, in a row.
_marks = re.compile(f"[{_combining.pattern(range(1, 256))}]{{2,}}")


def _decomposed(character: str) -> str:
    """The canonical decomposition; its marks are not sorted yet."""
    code = ord(character)
    if 0xAC00 <= code <= 0xD7A3:  # Hangul syllables: leading, vowel and trailing letters by arithmetic
        syllable = code - 0xAC00
        trailing = chr(0x11A7 + syllable % 28) if syllable % 28 else ""
        return chr(0x1100 + syllable // 588) + chr(0x1161 + syllable % 588 // 28) + trailing
    return "".join(map(_decomposed, _decompositions[code])) if code in _decompositions else character


_decompose = Translation(_decomposed)


def nfd(text: str) -> str:
    """Normalization form D: decomposed, each run of marks in the order of their classes, equal ones as they came."""
    return _marks.sub(lambda run: "".join(sorted(run[0], key=_combining.__getitem__)), text.translate(_decompose))
