"""Examples/fine-tuning: what it writes reads text as `transformers` does, and computes logits of it in Python."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import apus
import numpy as np
from apus import wordpiece
from conftest import ROOT
from transformers import AutoTokenizer

LENGTH = 8


def test_the_example_runs(minilm: Path, out: Path, sentences: list[str]) -> None:
    tool = os.environ.get("APUS_FINE_TUNING", str(ROOT / ".build" / "release" / "example-fine-tuning"))
    model = out / "polarity.apus"
    command = [tool, "--model", minilm, "--data", ROOT.parent / "shared" / "data", "--quick", "--quiet", "--export", model]
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("epoch 1  validation accuracy "), run.stdout

    with apus.Model(model) as opened, opened.session(dimensions={"batch": 4}) as session:
        own = wordpiece.WordPiece.of(opened.metadata)
        tokens, mask, types = np.zeros((3, 4, LENGTH), np.int32)
        for row, sentence in enumerate(sentences[:4]):
            ids = own.encode(sentence)
            tokens[row, : len(ids)], mask[row, : len(ids)] = ids, 1
        theirs = AutoTokenizer.from_pretrained(minilm)(
            sentences[:4], truncation=True, max_length=LENGTH, padding="max_length", return_tensors="np"
        )
        assert np.array_equal(tokens, theirs["input_ids"]) and np.array_equal(mask, theirs["attention_mask"])

        def logits() -> np.ndarray:
            return session.run({"input_ids": tokens, "attention_mask": mask, "token_type_ids": types})["logits"]

        whole = logits()
        assert whole.shape == (4, 1) and np.isfinite(whole).all() and len(np.unique(whole)) == 4
        # What stands at padding does not count.
        mask[:, 4:] = 0
        short = logits()
        tokens[:, 4:] = 100
        assert logits().tobytes() == short.tobytes() and not np.array_equal(short, whole)
