"""Tokenizers in Python and in C++ on small vocabularies; Tests/TransformerTests compares with the library `tokenizers`."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import time
from pathlib import Path
from typing import Callable

import apus
import pytest
from apus.bpe import BytePair
from apus.characters import Characters
from apus.wordpiece import WordPiece
from apus.words import Words

ROOT = Path(__file__).resolve().parents[2]
Metadata = dict[str, str]
Encode = Callable[[Metadata, list[str]], list[list[int]]]


def native(folder: Path, name: str) -> Callable[[list[object], list[str]], list[str]]:
    """The lines that a program of Tests/TransformerTests prints for texts."""
    compiler = next((one for one in ("c++", "clang++", "g++") if shutil.which(one)), None)
    if compiler is None:
        pytest.skip("no C++ compiler")
    binary, source = folder / name, ROOT / "Tests" / "TransformerTests" / f"{name}.cpp"
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT}/Bindings/cpp"]
    subprocess.run([compiler, *flags, str(source), "-o", str(binary)], check=True)

    def lines(arguments: list[object], texts: list[str]) -> list[str]:
        data = b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in texts)
        command = [str(binary), *map(str, arguments)]
        return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")[:-1]

    return lines


@pytest.fixture(scope="module", params=["Python", "C++"])
def bpe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Encode:
    """Texts to tokens of byte-level BPE, by the entries of a model's metadata."""
    if request.param == "Python":
        return lambda metadata, texts: [BytePair.of(metadata).encode(text) for text in texts]
    folder = tmp_path_factory.mktemp("bpe")
    program = native(folder, "bpe")

    def encode(metadata: Metadata, texts: list[str]) -> list[list[int]]:
        files = [folder / f"{name}.txt" for name in ("vocabulary", "merges", "special")]
        for file in files:
            file.write_text(metadata.get(f"tokenizer.{file.stem}", ""))
        return [[int(token) for token in line.split()] for line in program(files, texts)[::2]]

    return encode


def pairs_of(vocabulary: list[str], merges: list[tuple[str, str]], special: list[str] | None = None) -> Metadata:
    return {
        "tokenizer.type": "bpe", "tokenizer.vocabulary": "\n".join(vocabulary),
        "tokenizer.merges": "\n".join(f"{left} {right}" for left, right in merges),
        "tokenizer.special": "\n".join(special or []),
    }  # fmt: skip


def merged(word: str, merges: list[tuple[str, str]]) -> list[str]:
    """By the definition: as long as there is one, the first pair of the list, where it comes first in the word."""
    parts = list(word)
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    while found := [(ranks[pair], place) for place, pair in enumerate(zip(parts, parts[1:])) if pair in ranks]:
        place = min(found)[1]
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts


def test_merges_in_the_order_of_training(bpe: Encode) -> None:
    source = random.Random(4)
    for letters in ("a", "ab", "abc", "abcdef"):
        vocabulary, merges = list(letters), []
        while len(merges) < 40:
            pair = source.choice(vocabulary), source.choice(vocabulary)
            if pair not in merges and len(pair[0] + pair[1]) < 12:
                merges.append(pair)
                if pair[0] + pair[1] not in vocabulary:
                    vocabulary.append(pair[0] + pair[1])
            elif len(letters) == 1 and len(merges) > 8:
                break
        words = ["".join(source.choice(letters) for _ in range(source.randrange(1, 60))) for _ in range(60)]
        wanted = [[vocabulary.index(part) for part in merged(word, merges)] for word in words]
        assert bpe(pairs_of(vocabulary, merges), words) == wanted


def test_a_long_word_takes_no_longer_than_its_parts(bpe: Encode) -> None:
    vocabulary = ["a" * (1 << power) for power in range(11)]
    count, began = (1 << 17) + 3, time.perf_counter()
    tokens = bpe(pairs_of(vocabulary, list(zip(vocabulary, vocabulary))[:-1]), ["a" * count])[0]
    assert tokens == [10] * (1 << 7) + [1, 0]
    assert time.perf_counter() - began < 30, "seconds; a scan of the word for each merge takes many minutes"


def test_an_empty_token_keeps_its_number(bpe: Encode) -> None:
    assert bpe(pairs_of(["a", "", "b", "ab"], [("a", "b")]), ["abb"]) == [[3, 2]]
    assert bpe(pairs_of(["", "a", "b", "ab"], [("a", "b")], ["", "ab"]), ["babb"]) == [[2, 3, 2]]


PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "[DOC]", "[DOC]s", "un", "##happy", "[", "]", "doc", "<x y>", "##b"]


@pytest.fixture(scope="module", params=["Python", "C++"])
def wordpiece(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Encode:
    """Texts to tokens of WordPiece, by the entries of a model's metadata."""
    if request.param == "Python":
        return lambda metadata, texts: [WordPiece.of(metadata).encode(text)[1:-1] for text in texts]
    folder = tmp_path_factory.mktemp("wordpiece")
    program = native(folder, "wordpiece")

    def encode(metadata: Metadata, texts: list[str]) -> list[list[int]]:
        file = folder / "vocabulary.txt"
        file.write_text(metadata["tokenizer.vocabulary"])
        special = [metadata["tokenizer.special"]] if "tokenizer.special" in metadata else []
        return [[int(token) for token in line.split()][1:-1] for line in program([file, 1, 1, 1, *special], texts)]

    return encode


@pytest.mark.parametrize(
    ("special", "wanted"),
    [
        (None, [[5, 11, 13, 12, 6], [4, 11, 13, 12, 1, 1, 1, 1, 1], [9, 10]]),
        ("[DOC]\n[DOC]s\n<x y>", [[5, 7, 6], [11, 1, 12, 8, 14], [9, 10]]),
        ("[UNK]\n##happy\nun", [[5, 11, 13, 12, 6], [11, 1, 12, 11, 13, 12, 1, 1, 1, 1, 1], [9, 1]]),
        ("", [[5, 11, 13, 12, 6], [11, 1, 12, 11, 13, 12, 1, 1, 1, 1, 1], [9, 10]]),
    ],
)
def test_special_pieces_stand_for_themselves(wordpiece: Encode, special: str | None, wanted: list[list[int]]) -> None:
    metadata = {"tokenizer.type": "wordpiece", "tokenizer.vocabulary": "\n".join(PIECES)}
    if special is not None:
        metadata["tokenizer.special"] = special
    assert wordpiece(metadata, ["a [DOC] b", "[MASK][DOC]s<x y>", "unhappy"]) == wanted


def test_characters() -> None:
    tokenizer = Characters.of({"tokenizer.type": "characters", "tokenizer.characters": "\n ažů\U0001f40e"})
    assert tokenizer.encode("až\U0001f40e x\n") == [2, 3, 5, 1, 0]
    assert tokenizer.decode([4, 6, -1, 5, 0]) == "ů\U0001f40e\n"
    for metadata in (
        {"tokenizer.type": "bpe"}, {"tokenizer.type": "characters"}, {"tokenizer.type": "characters", "tokenizer.characters": "aba"},
    ):  # fmt: skip
        with pytest.raises(apus.Error):
            Characters.of(metadata)


@pytest.fixture(scope="module", params=["Python", "C++"])
def words(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[str], list[str]], list[str]]:
    """Texts to their indices and to the words that these stand for, a line each, by a vocabulary."""
    if request.param == "Python":

        def encode(vocabulary: list[str], texts: list[str]) -> list[str]:
            tokenizer = Words.of({"tokenizer.type": "words", "tokenizer.words": "\n".join(vocabulary)})
            rows = [tokenizer.encode(text) for text in texts]
            return [line for row in rows for line in (" ".join(map(str, row)), tokenizer.decode(row))]

        return encode
    folder = tmp_path_factory.mktemp("words")
    program = native(folder, "words")

    def printed(vocabulary: list[str], texts: list[str]) -> list[str]:
        file = folder / "words.txt"
        file.write_text("\n".join(vocabulary))
        return [line.rstrip() for line in program([file], texts)]

    return printed


# WordTokenizerTests.testWordsOfAllKindsOfLetters has the same.
WORDS = ["it's", "über", "90", "i\u0307x", "हिन्दी", "\ua7db", "½"]


@pytest.mark.parametrize(
    ("text", "indices"),
    [
        ("It's 90 -- of \"\u00dcber\"-fun", [2, 4, 1, 3, 1]), ("U\u0308BER it\u2019s", [3, 1, 1]), ("\u0130X \ua7da", [5, 7]),
        ("हिन्दी\u3000½", [6, 8]), (" .,! ", []), ("", []), ("a\u200db", [1, 1]),
    ],
)  # fmt: skip
def test_words(words: Callable[[list[str], list[str]], list[str]], text: str, indices: list[int]) -> None:
    line, back = words(WORDS, [text])
    assert line.split() == list(map(str, indices))
    assert back == " ".join(WORDS[index - 2] for index in indices if index > 1)


def test_rows_of_words() -> None:
    tokenizer = Words(["a", "b"])
    assert tokenizer.batch(["a b c d", "b", ""], 3).tolist() == [[2, 3, 1], [3, 0, 0], [0, 0, 0]]
    assert tokenizer.batch([], 3).shape == (0, 3)
    assert tokenizer.decode([0, 2, 1, 3, 4, -1]) == "a b"
    for refused in (lambda: Words(["a", "A"]), lambda: Words(["two words"]), lambda: Words(["\u00fc", "u\u0308"]), lambda: Words([""]),
                    lambda: tokenizer.batch(["a"], 0), lambda: Words.of({"tokenizer.type": "words"}), lambda: Words.of({})):  # fmt: skip
        with pytest.raises(apus.Error):
            refused()


def test_characters_are_what_the_tables_say(wordpiece: Encode) -> None:
    """U+A7CB and U+A7DC have a lowercase since Unicode 16, which a Python may not know."""
    pieces = [*PIECES[:4], "\ua7cb", "\ua7dc", "\u0264", "\u019b", "e", "##x", "\u1100", "##\u1161", "##\u11a8", "i"]
    metadata = {"tokenizer.type": "wordpiece", "tokenizer.vocabulary": "\n".join(pieces)}
    texts = ["\ua7cb \ua7dc", "\u00c9x", "\uac01", "\u0130x", "E\u0323\u0301x"]
    assert wordpiece(metadata, texts) == [[6, 7], [8, 9], [10, 11, 12], [13, 9], [8, 9]]
