"""Text → the indices of a vocabulary of words, and back.

    tokenizer = Words.of(model.metadata)
    outputs = session.run({"input": tokenizer.batch(["a moving film", "not bad at all"], 60)})

A word is a run of letters, numbers, marks on them and apostrophes, in lower case; everything else parts words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from ._abi import Status
from ._text import Runs, Translation, nfd, small
from ._types import Error
from ._unicode import MARKS, PIECES

_WORDS = re.compile(f"[{Runs(PIECES).pattern([0, 1])}{Runs(MARKS).pattern([1])}']+")
_small = Translation(small)


class Words:
    """A tokenizer; may be shared by threads.

    ``vocabulary`` lists the words of index 2, 3, …: 0 is padding, 1 a word that it lacks. Words that look alike are one, whether
    their marks are characters of their own or not.
    """

    padding, unknown = 0, 1

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self.vocabulary = list(vocabulary)
        self._indices: dict[str, int] = {}
        for index, word in enumerate(self.vocabulary, 2):
            if words(word) != [nfd(word)]:
                raise Error(Status.INVALID_ARGUMENT, f"'{word}' in a vocabulary is no word")
            if self._indices.setdefault(nfd(word), index) != index:
                raise Error(Status.INVALID_ARGUMENT, f"'{word}' comes twice in a vocabulary")

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> Words:
        """The tokenizer that a model carries: ``Words.of(model.metadata)``."""
        kind = metadata.get("tokenizer.type", "none")
        if kind != "words":
            raise Error(Status.INVALID_ARGUMENT, f"metadata: tokenizer.type {kind} found, words wanted")
        if "tokenizer.words" not in metadata:
            raise Error(Status.INVALID_ARGUMENT, "metadata: a tokenizer of words without tokenizer.words")
        return cls(filter(None, metadata["tokenizer.words"].split("\n")))

    def encode(self, text: str) -> list[int]:
        return [self._indices.get(word, self.unknown) for word in words(text)]

    def batch(self, texts: Iterable[str], length: int) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
        """Texts as rows of ``length`` indices: the first of a longer text, and padding after a shorter one."""
        if length < 1:
            raise Error(Status.INVALID_ARGUMENT, f"rows of {length} indices, wanted 1 or more")
        rows = [self.encode(text)[:length] for text in texts]
        return np.array([row + [self.padding] * (length - len(row)) for row in rows], np.int32).reshape(len(rows), length)

    def decode(self, tokens: Iterable[int]) -> str:
        """Words of the vocabulary with spaces between; other numbers are left out."""
        return " ".join(self.vocabulary[token - 2] for token in tokens if 2 <= token < len(self.vocabulary) + 2)


def words(text: str) -> list[str]:
    """The words of a text, in normalization form D."""
    return _WORDS.findall(nfd(text.translate(_small)))
