"""Text → the tokens of a vocabulary of characters, and back.

    tokenizer = Characters.of(model.metadata)
    text = tokenizer.decode(tokenizer.encode("ROMEO:"))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ._abi import Status
from ._types import Error


class Characters:
    """A tokenizer; may be shared by threads. ``characters`` lists them in the order of their numbers, each once."""

    def __init__(self, characters: str) -> None:
        self.characters = characters
        self._numbers = {character: number for number, character in enumerate(characters)}
        if len(self._numbers) < len(characters) or not characters:
            raise Error(
                Status.INVALID_ARGUMENT, f"{len(characters)} characters, {len(self._numbers)} of them different, wanted each once"
            )

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> Characters:
        """The tokenizer that a model carries: ``Characters.of(model.metadata)``."""
        kind = metadata.get("tokenizer.type", "none")
        if kind != "characters":
            raise Error(Status.INVALID_ARGUMENT, f"metadata: tokenizer.type {kind} found, characters wanted")
        return cls(metadata.get("tokenizer.characters", ""))

    def encode(self, text: str) -> list[int]:
        """Characters that the vocabulary lacks are left out."""
        return [self._numbers[character] for character in text if character in self._numbers]

    def decode(self, tokens: Iterable[int]) -> str:
        """Numbers outside of the vocabulary are left out."""
        return "".join(self.characters[token] for token in tokens if 0 <= token < len(self.characters))
