"""Text → the tokens of byte-level BPE as GPT-2's, and back.

    tokenizer = BytePair.of(model.metadata)
    text = tokenizer.decode(tokenizer.encode("a moving film"))

Text is split into words, a word into the bytes of its UTF-8; of these the pair that was merged first in training is merged
as long as there is one. Sennrich, Haddow, Birch: Neural Machine Translation of Rare Words with Subword Units, 2016;
Radford et al.: Language Models are Unsupervised Multitask Learners, 2019. The library `tokenizers` gives the same tokens for
any text.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Mapping

from ._abi import Status
from ._text import Runs
from ._types import Error
from ._unicode import PIECES

_pieces = Runs(PIECES)
_LETTER, _NUMBER, _BLANK, _SYMBOL = (_pieces.pattern([kind]) for kind in range(4))

# An English contraction; letters, digits or other symbols, with a space before them; blanks, the last left to what follows.
_WORDS = re.compile(
    f"'(?:s|t|re|ve|m|ll|d)| ?[{_LETTER}]+| ?[{_NUMBER}]+| ?[{_SYMBOL}]+"
    f"|[{_BLANK}]+(?![^{_BLANK}])|[{_BLANK}]+"
)


def _alphabet() -> list[str]:
    """The characters that stand for bytes: printable Latin ones for themselves, those from U+0100 on for the others."""
    characters, following = [], 0x100
    for byte in range(256):
        if 33 <= byte <= 126 or 161 <= byte <= 172 or 174 <= byte:
            characters.append(chr(byte))
        else:
            characters.append(chr(following))
            following += 1
    return characters


_CHARACTERS = _alphabet()
_BYTES = {character: byte for byte, character in enumerate(_CHARACTERS)}


class BytePair:
    """A tokenizer; may be shared by threads.

    ``vocabulary`` lists the tokens in the order of their numbers, their bytes as the characters that stand for them; ``merges``
    the pairs in the order in which they are merged; ``special`` the tokens that stand for themselves in a text.
    """

    def __init__(
        self, vocabulary: Iterable[str], merges: Iterable[tuple[str, str]], special: Iterable[str] = ()
    ) -> None:
        self.vocabulary = list(vocabulary)
        self._numbers = {token: number for number, token in enumerate(self.vocabulary)}
        self._ranks = {}
        for rank, (left, right) in enumerate(merges):
            if left + right not in self._numbers:
                raise Error(Status.INVALID_ARGUMENT, f"merge '{left} {right}' of tokens that the vocabulary does not have")
            self._ranks[left, right] = rank
        self.special = sorted(filter(None, special), key=len, reverse=True)
        for token in self.special:
            if token not in self._numbers:
                raise Error(Status.INVALID_ARGUMENT, f"special token '{token}' is not in the vocabulary")
        self._parts = re.compile("(" + "|".join(map(re.escape, self.special)) + ")").split if self.special else lambda text: [text]

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> BytePair:
        """The tokenizer that a model carries: ``BytePair.of(model.metadata)``."""
        kind = metadata.get("tokenizer.type", "none")
        if kind != "bpe":
            raise Error(Status.INVALID_ARGUMENT, f"metadata: tokenizer.type {kind} found, bpe wanted")

        def lines(name: str) -> list[str]:
            found = metadata.get(f"tokenizer.{name}", "").split("\n")
            return found if found[-1] else found[:-1]

        merges = []
        for line in lines("merges"):
            left, space, right = line.partition(" ")
            if not (left and space and right):
                raise Error(Status.INVALID_ARGUMENT, f"merge '{line}', wanted two tokens with a space between")
            merges.append((left, right))
        return cls(lines("vocabulary"), merges, lines("special"))

    def encode(self, text: str) -> list[int]:
        tokens: list[int] = []
        known: dict[str, list[int]] = {}
        for part in self._parts(text):
            if part in self.special:
                tokens.append(self._numbers[part])
                continue
            for word in _WORDS.findall(part):
                if word not in known:
                    known[word] = self._merged(word)
                tokens += known[word]
        return tokens

    def decode(self, tokens: Iterable[int]) -> str:
        """Numbers outside of the vocabulary are left out; what no UTF-8 is becomes U+FFFD."""
        data = bytearray()
        for token in tokens:
            if 0 <= token < len(self.vocabulary):
                text = self.vocabulary[token]
                data += bytes(_BYTES[c] for c in text) if all(c in _BYTES for c in text) else text.encode()
        return data.decode(errors="replace")

    def _merged(self, word: str) -> list[int]:
        parts = [character for character in (_CHARACTERS[byte] for byte in word.encode()) if character in self._numbers]
        # Parts that are left: those merged into the one before are empty.
        count = len(parts)
        previous, following = list(range(-1, count - 1)), list(range(1, count + 1))
        candidates: list[tuple[int, int, str, str]] = []

        def consider(place: int) -> None:
            if place >= 0 and following[place] < count:
                pair = parts[place], parts[following[place]]
                if pair in self._ranks:
                    heapq.heappush(candidates, (self._ranks[pair], place, *pair))

        for place in range(count):
            consider(place)
        while candidates:
            _, place, left, right = heapq.heappop(candidates)
            second = following[place]
            if second == count or parts[place] != left or parts[second] != right:
                continue
            parts[place], parts[second] = left + right, ""
            following[place] = following[second]
            if following[place] < count:
                previous[following[place]] = place
            consider(previous[place])
            consider(place)
        return [self._numbers[part] for part in parts if part]
