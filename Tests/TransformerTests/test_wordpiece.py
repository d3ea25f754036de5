"""WordPiece in Python and in C++ against the library `tokenizers`: equal ids for every text."""

from __future__ import annotations

import itertools
import random
import struct
import subprocess
from pathlib import Path
from typing import Callable, Iterable

import pytest
from apus.wordpiece import WordPiece
from tokenizers import BertWordPieceTokenizer

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = [(True, True, True), (True, False, True), (False, False, True), (False, True, False)]

NASTY = [
    "", " ", "\t\n\r\x0b\x0c\x1c\x1f\x85", "\x00a\x00b\ufffdc\ufeff", "a\u00a0b\u2003c\u2028d\u3000e", "it's a co-op's \"thing\"...",
    "Ångström ÅNGSTRÖM A\u030angstro\u0308m", "İstanbul ı I i\u0307", "ΣΊΣΥΦΟΣ Σ σς ΑΣ", "ẞ ß ﬁ ﬀ ǅ ŉ", "한국어 텍스트 각 힣 가",
    "中文字符 and 日本語のテキスト 𠀀𪜀𫠠𫝀豈", "नमस्ते हिन्दी ไทย ภาษา العَرَبِيَّة עִבְרִית", "a\u0323\u0307b\u0307\u0323c\u0345\u0301\u0323", "\u0301\u0302x",
    "𝅘𝅥𝅮 \U0001d16d\U0001d165 \u302e\U0001d165", "👩‍👩‍👧‍👦 🏳️‍🌈 🇦🇶 ☃️ 🫠", "\u200b\u200d\u2060zero\u00adwidth", "x" * 100, "x" * 101, "é" * 100, "e\u0301" * 101,
    "unaffable unwanted running ##ing # #", "[CLS] [SEP][MASK] [mask] [PAD]x[UNK] [CLS", "$100+5% = ~`^|<>", "«¡¿…—–‘’“”»§¶",
    "\u166d\u2e43\U000111c9\U0001e95e \u0378\u0890\u08e2\U00011938\U000105c9", "\U000f0000\ue000\U0010ffff\ufdd0", "a" * 5000, "word " * 600, "１２３ ①② ½ Ⅷ ㎏ Å K Ω",
]  # fmt: skip


def random_texts(count: int, seed: int) -> Iterable[str]:
    """Strings of characters from all of Unicode, from its crowded parts, and around combining marks."""
    source = random.Random(seed)
    pools = [(0, 0x110000), (0, 0x250), (0x250, 0x3000), (0x300, 0x370), (0x1E00, 0x2100), (0x3000, 0xD7A4), (0xF900, 0x10000), (0x10000, 0x20000)]
    for _ in range(count):
        low, high = source.choice(pools)
        codes = (source.randrange(low, high) if source.random() < 0.8 else source.choice(b"aeE .-") for _ in range(source.randrange(40)))
        yield "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)


@pytest.fixture(scope="module")
def program(out: Path) -> Path:
    binary = out / "wordpiece"
    source = Path(__file__).with_name("wordpiece.cpp")
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT}/Bindings/cpp"]
    subprocess.run(["clang++", *flags, str(source), "-o", str(binary)], check=True)
    return binary


def cpp(program: Path, vocabulary: Path, setting: tuple[bool, ...], texts: list[bytes]) -> list[list[int]]:
    data = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    command = [str(program), str(vocabulary), *(str(int(flag)) for flag in setting)]
    lines = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")
    assert len(lines) == len(texts) + 1
    return [[int(number) for number in line.split()] for line in lines[:-1]]


@pytest.fixture(scope="module")
def compare(program: Path, minilm: Path) -> Callable[[list[str], tuple[bool, bool, bool]], int]:
    """Compares the ids of texts; the number of ids compared."""
    vocabulary = minilm / "vocab.txt"

    def compare(texts: list[str], setting: tuple[bool, bool, bool]) -> int:
        lowercase, strip, split = setting
        oracle = BertWordPieceTokenizer(
            str(vocabulary), lowercase=lowercase, strip_accents=strip, handle_chinese_chars=split
        )
        oracle.enable_truncation(512)
        wanted = [encoding.ids for encoding in oracle.encode_batch(texts)]
        ours = WordPiece(
            vocabulary.read_text().rstrip("\n").split("\n"), lowercase=lowercase, strip_accents=strip, split_chinese=split
        )
        found = [text.encode() for text in texts]
        for text, ids, python, native in zip(texts, wanted, map(ours.encode, texts), cpp(program, vocabulary, setting, found)):
            assert native == ids, f"C++: {text!r}"
            assert python == ids, f"Python: {text!r}"
        return sum(map(len, wanted))

    return compare


def test_polarity_lines(compare: Callable, sentences: list[str]) -> None:
    count = compare(sentences, (True, True, True))
    print(f"\nWordPiece: {len(sentences)} lines, {count} ids equal in tokenizers, Python and C++")


@pytest.mark.parametrize("setting", SETTINGS)
def test_nasty_texts(compare: Callable, setting: tuple[bool, bool, bool]) -> None:
    compare(NASTY, setting)
    compare(["".join(pair) for pair in itertools.product(NASTY[:24], repeat=2)], setting)


@pytest.mark.parametrize("setting", SETTINGS)
def test_random_texts(compare: Callable, setting: tuple[bool, bool, bool]) -> None:
    compare(list(random_texts(20_000, seed=SETTINGS.index(setting))), setting)


def test_every_character(compare: Callable) -> None:
    texts = [f"a{chr(code)}b {chr(code)}" for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    compare(texts, (True, True, True))


def test_bytes_that_are_no_utf8(program: Path, minilm: Path) -> None:
    source = random.Random(5)
    texts = [bytes(source.choice([source.randrange(256), *b"ab \xe2\x82\xac\xf0\x9f\xed"]) for _ in range(30)) for _ in range(3000)]
    tokenizer = WordPiece((minilm / "vocab.txt").read_text().rstrip("\n").split("\n"))
    found = cpp(program, minilm / "vocab.txt", (True, True, True), texts)
    assert found == [tokenizer.encode(text.decode(errors="replace")) for text in texts]
