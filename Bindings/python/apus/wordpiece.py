"""Text → the ids of a WordPiece vocabulary, as BERT's tokenizer gives them.

    tokenizer = WordPiece.of(model.metadata)
    outputs = session.run(tokenizer.batch(["a moving film", "not bad at all"]))

Text is cleaned, Chinese characters are set apart, accents are stripped, letters made small, words split at spaces and
punctuation; then each word is the longest piece of the vocabulary that it begins with, and so on with its rest.
Wu et al.: Google's Neural Machine Translation System, 2016; Devlin et al.: BERT, 2018. The library `tokenizers` gives
the same ids for any text.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Callable, Optional, Union

import numpy as np

from ._abi import Status
from ._types import Error
from ._unicode import CHINESE, CLASSES, COMBINING, DECOMPOSITIONS, LOWERCASE, MARK, PUNCTUATION, REMOVED, SPACE

_PAD, _UNKNOWN, _FIRST, _LAST, _ = _SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_LONGEST_WORD = 100

_runs = [(int(code, 16), int(value)) for code, _, value in (run.partition(":") for run in CLASSES.split())]
_firsts = [code for code, _ in _runs]


def _class(character: str) -> int:
    return _runs[bisect.bisect_right(_firsts, ord(character)) - 1][1]


def _table(text: str) -> list[tuple[int, ...]]:
    return [tuple(int(part, 16) for part in entry.split(":")) for entry in text.split()]


_combining = _table(COMBINING)
_combining_firsts = [first for first, _ in _combining]
_decompositions = {character: "".join(map(chr, filter(None, parts))) for character, *parts in _table(DECOMPOSITIONS)}
_lowercase = _table(LOWERCASE)
_lowercase_lasts = [last for _, last, _, _ in _lowercase]


def _combining_class(character: str) -> int:
    return _combining[bisect.bisect_right(_combining_firsts, ord(character)) - 1][1]


# Several characters that have such a class, in a row.
_marks = re.compile("[" + "".join(
    f"\\U{first:08x}-\\U{end - 1:08x}" for (first, kind), end in zip(_combining, [*_combining_firsts[1:], 0x110000]) if kind
) + "]{2,}")  # fmt: skip


def _decomposed(character: str) -> str:
    """The canonical decomposition; its marks are not sorted yet."""
    code = ord(character)
    if 0xAC00 <= code <= 0xD7A3:  # Hangul syllables: leading, vowel and trailing letters by arithmetic
        syllable = code - 0xAC00
        trailing = chr(0x11A7 + syllable % 28) if syllable % 28 else ""
        return chr(0x1100 + syllable // 588) + chr(0x1161 + syllable % 588 // 28) + trailing
    return "".join(map(_decomposed, _decompositions[code])) if code in _decompositions else character


def _small(character: str) -> str:
    code = ord(character)
    if code == 0x130:
        return "i\u0307"
    place = bisect.bisect_left(_lowercase_lasts, code)
    if place == len(_lowercase):
        return character
    first, _, step, distance = _lowercase[place]
    return chr(code + distance) if code >= first and (code - first) % step == 0 else character


class _Translation(dict[int, str]):
    """A table for str.translate that remembers what a function made of each character."""

    def __init__(self, function: Callable[[str], str]) -> None:
        super().__init__()
        self.function = function

    def __missing__(self, code: int) -> str:
        self[code] = result = self.function(chr(code))
        return result


class WordPiece:
    """A tokenizer; may be shared by threads.

    ``vocabulary`` lists the pieces in the order of their ids; those that continue a word begin with ``##``. It has
    ``[UNK]``, ``[CLS]``, ``[SEP]`` and ``[PAD]``. ``strip_accents`` is as ``lowercase`` unless given. Sequences are cut
    to ``max_tokens``, [CLS] and [SEP] included. ``special`` are the pieces that stand for themselves wherever a text has them:
    those four and ``[MASK]`` unless given.
    """

    def __init__(
        self,
        vocabulary: Iterable[str],
        *,
        lowercase: bool = True,
        strip_accents: Optional[bool] = None,
        split_chinese: bool = True,
        max_tokens: int = 512,
        special: Optional[Iterable[str]] = None,
    ) -> None:
        self.vocabulary = list(vocabulary)
        self.max_tokens = max_tokens
        self._ids = {token: index for index, token in enumerate(self.vocabulary)}
        for token in _SPECIAL[:4]:
            if token not in self._ids:
                raise Error(Status.INVALID_ARGUMENT, f"a vocabulary of {len(self._ids)} tokens without {token}")
        if max_tokens < 2:
            raise Error(Status.INVALID_ARGUMENT, f"max_tokens {max_tokens}, wanted 2 or more")
        self._longest = max(map(len, self._ids))
        self._special = {token for token in _SPECIAL if token in self._ids} if special is None else set(special) - {""}
        for token in sorted(self._special - self._ids.keys()):
            raise Error(Status.INVALID_ARGUMENT, f"special piece '{token}' is not in the vocabulary")
        # The longer first; without one what matches nothing.
        names = "|".join(map(re.escape, sorted(self._special, key=len, reverse=True))) or "(?!)"
        self._specials_in = re.compile(f"({names})").split
        self._strips = lowercase if strip_accents is None else strip_accents

        def cleaned(character: str) -> str:
            kind = _class(character)
            if kind == CHINESE and split_chinese:
                return f" {character} "
            return {REMOVED: "", SPACE: " "}.get(kind, character)

        def folded(character: str) -> str:
            if self._strips and _class(character) == MARK:
                return ""
            small = _small(character) if lowercase else character
            return "".join(f" {part} " if _class(part) == PUNCTUATION else part for part in small)

        self._clean, self._fold = _Translation(cleaned), _Translation(folded)
        self._decompose = _Translation(_decomposed)

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> WordPiece:
        """The tokenizer that a model carries: ``WordPiece.of(model.metadata)``."""
        kind = metadata.get("tokenizer.type", "none")
        if kind != "wordpiece":
            raise Error(Status.INVALID_ARGUMENT, f"metadata: tokenizer.type {kind} found, wordpiece wanted")

        def flag(name: str) -> bool:
            return metadata.get(f"tokenizer.{name}", "1") == "1"

        return cls(
            metadata.get("tokenizer.vocabulary", "").split("\n"),
            lowercase=flag("lowercase"),
            strip_accents=flag("strip_accents"),
            split_chinese=flag("split_chinese"),
            max_tokens=int(metadata.get("tokenizer.max_tokens", "512")),
            special=metadata["tokenizer.special"].split("\n") if "tokenizer.special" in metadata else None,
        )

    def tokens(self, text: str) -> list[str]:
        """The pieces of a text, without [CLS] and [SEP]. Where the text has the name of a special token, it is that."""
        result = []
        for part in self._specials_in(text):
            if part in self._special:
                result.append(part)
                continue
            part = part.translate(self._clean)
            if self._strips:
                # Normalization form D: each run of marks in the order of their classes, equal ones as they came.
                part = part.translate(self._decompose)
                part = _marks.sub(lambda run: "".join(sorted(run[0], key=_combining_class)), part)
            for word in part.translate(self._fold).split(" "):
                if word:
                    result += self._pieces(word)
        return result

    def _pieces(self, word: str) -> list[str]:
        if len(word) > _LONGEST_WORD:
            return [_UNKNOWN]
        pieces, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(min(len(word), start + self._longest), start, -1):
                piece = prefix + word[start:end]
                if piece in self._ids:
                    break
            else:
                return [_UNKNOWN]
            pieces.append(piece)
            start = end
        return pieces

    def encode(self, text: str) -> list[int]:
        """The ids of [CLS], the text's pieces and [SEP]."""
        tokens = self.tokens(text)[: self.max_tokens - 2]
        return [self._ids[token] for token in [_FIRST, *tokens, _LAST]]

    def batch(self, texts: Union[Sequence[str], Iterable[str]]) -> dict[str, np.ndarray[tuple[int, int], np.dtype[np.int64]]]:
        """The inputs of an encoder for some texts, [batch, tokens] each: padded to the longest, the mask 0 there."""
        rows = [self.encode(text) for text in texts]
        ids = np.full((len(rows), max(map(len, rows), default=2)), self._ids[_PAD], np.int64)
        mask = np.zeros_like(ids)
        for row, line in enumerate(rows):
            ids[row, : len(line)] = line
            mask[row, : len(line)] = 1
        return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
