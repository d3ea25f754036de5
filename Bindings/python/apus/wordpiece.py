"""Text → the ids of a WordPiece vocabulary, as BERT's tokenizer gives them.

    tokenizer = WordPiece.of(model.metadata)
    outputs = session.run(tokenizer.batch(["a moving film", "not bad at all"]))

Text is cleaned, Chinese characters are set apart, accents are stripped, letters made small, words split at spaces and
punctuation; then each word is the longest piece of the vocabulary that it begins with, and so on with its rest.
Wu et al.: Google's Neural Machine Translation System, 2016; Devlin et al.: BERT, 2018. The library `tokenizers` gives
the same ids for any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Optional, Union

import numpy as np

from ._abi import Status
from ._text import Runs, Translation, nfd, small
from ._types import Error
from ._unicode import CHINESE, CLASSES, MARK, PUNCTUATION, REMOVED, SPACE

_PAD, _UNKNOWN, _FIRST, _LAST, _ = _SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_LONGEST_WORD = 100

_classes = Runs(CLASSES)


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
            kind = _classes[character]
            if kind == CHINESE and split_chinese:
                return f" {character} "
            return {REMOVED: "", SPACE: " "}.get(kind, character)

        def folded(character: str) -> str:
            if self._strips and _classes[character] == MARK:
                return ""
            parts = small(character) if lowercase else character
            return "".join(f" {part} " if _classes[part] == PUNCTUATION else part for part in parts)

        self._clean, self._fold = Translation(cleaned), Translation(folded)

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
                part = nfd(part)
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
