"""Byte-level BPE in Swift, Python and C++ against the library `tokenizers`: equal merges, tokens and text."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from pathlib import Path
from typing import Callable

import pytest
from apus.bpe import BytePair
from test_wordpiece import NASTY, random_texts
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

ROOT = Path(__file__).resolve().parents[2]
END = "<|endoftext|>"
WORDS = ["it's I'll we'Re 'tis ''s don'ts", "  \n\n  a \t b\r\n", f"x{END}y {END}{END}", "3½Ⅷ x2y ３", "a" * 3000, "' 's '' ", "\u00a0\u2003x\u3000"]


def swift(tokenizer: Path, texts: list[str], *options: str) -> list[str]:
    tool = os.environ.get("APUS_TOOL", str(ROOT / ".build" / "release" / "apus"))
    data = "".join(text + "\n" for text in texts).encode()
    done = subprocess.run([tool, "tokenize", str(tokenizer), *options], input=data, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().split("\n")[:-1]


@pytest.fixture(scope="module")
def shakespeare() -> str:
    path = ROOT.parent / "shared" / "data" / "text" / "tinyshakespeare.txt"
    if not path.exists():
        pytest.skip("the shared text is not here")
    return path.read_text()


@pytest.fixture(scope="module")
def program(out: Path) -> Path:
    binary = out / "bpe"
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT}/Bindings/cpp"]
    subprocess.run(["clang++", *flags, str(Path(__file__).with_name("bpe.cpp")), "-o", str(binary)], check=True)
    return binary


@pytest.fixture(scope="module", params=[300, 1000, 4000])
def trained(request: pytest.FixtureRequest, out: Path, shakespeare: str) -> tuple[Tokenizer, Path]:
    """The library's tokenizer, and the file that ours, trained on the same text, is written to."""
    oracle = Tokenizer(models.BPE())
    oracle.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    oracle.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    oracle.train_from_iterator(
        [shakespeare],
        trainers.BpeTrainer(vocab_size=request.param, special_tokens=[END], initial_alphabet=alphabet, show_progress=False),
    )
    source, target = out / "shakespeare.txt", out / "tokenizer.json"
    source.write_text(shakespeare)
    swift(target, [], "--train", str(source), "--size", str(request.param), "--special", END, "--quiet")
    return oracle, target


def cpp(program: Path, folder: Path, model: dict, texts: list[str]) -> tuple[list[list[int]], list[str]]:
    ordered = sorted(model["vocab"], key=model["vocab"].__getitem__)
    parts = ["\n".join(ordered), "\n".join(" ".join(merge) for merge in model["merges"]), END]
    files = [folder / f"bpe-{i}.txt" for i in range(3)]
    for file, part in zip(files, parts):
        file.write_text(part)
    data = b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in texts)
    lines = subprocess.run([str(program), *map(str, files)], input=data, stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")
    return [[int(n) for n in line.split()] for line in lines[:-1:2]], [bytes.fromhex(line).decode() for line in lines[1::2]]


def test_training(trained: tuple[Tokenizer, Path], out: Path) -> None:
    oracle, path = trained
    oracle.save(str(out / "oracle.json"))
    wanted, found = json.loads((out / "oracle.json").read_text())["model"], json.loads(path.read_text())["model"]
    assert found["vocab"] == wanted["vocab"] and found["merges"] == wanted["merges"]


def test_tokens(trained: tuple[Tokenizer, Path], program: Path, out: Path, sentences: list[str], shakespeare: str) -> None:
    oracle, path = trained
    texts = WORDS + NASTY + list(random_texts(4000, seed=3)) + sentences[::7] + shakespeare.split("\n")[::5] + [shakespeare[:50000]]
    wanted = [encoding.ids for encoding in oracle.encode_batch(texts)]
    again = Tokenizer.from_file(str(path))
    assert [encoding.ids for encoding in again.encode_batch(texts)] == wanted, "our file in the library"
    model = json.loads(path.read_text())["model"]
    ordered = sorted(model["vocab"], key=model["vocab"].__getitem__)
    python = BytePair(ordered, [(left, right) for left, right in model["merges"]], [END])
    native, texts_of = cpp(program, out, model, texts)
    lines = swift(path, [json.dumps(text) for text in texts], "--strings")
    decoded = swift(path, lines, "--decode")
    for i, (text, ids) in enumerate(zip(texts, wanted)):
        assert [int(n) for n in lines[i].split()] == ids, f"Swift: {text!r}"
        assert python.encode(text) == ids, f"Python: {text!r}"
        assert native[i] == ids, f"C++: {text!r}"
        assert json.loads(decoded[i]) == python.decode(ids) == texts_of[i] == text, f"decoded: {text!r}"
    print(f"\nBPE: {len(texts)} texts, {sum(map(len, wanted))} tokens equal in tokenizers, Swift, Python and C++")


def test_wordpiece_in_swift(minilm: Path, sentences: list[str]) -> None:
    from tokenizers import BertWordPieceTokenizer

    oracle = BertWordPieceTokenizer(str(minilm / "vocab.txt"), lowercase=True)
    oracle.enable_truncation(512)
    texts = sentences + NASTY + list(random_texts(4000, seed=9))
    found = swift(minilm / "vocab.txt", [json.dumps(text) for text in texts], "--strings")
    for text, line, encoding in zip(texts, found, oracle.encode_batch(texts)):
        assert [int(n) for n in line.split()] == encoding.ids, repr(text)
