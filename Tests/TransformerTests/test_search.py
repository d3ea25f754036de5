"""Examples/semantic-search finds in Python and in C++ what `transformers` finds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import torch
from conftest import ROOT
from transformers import AutoModel, AutoTokenizer

QUERIES = ["a film about the war", "great songs"]
LINES = 400


def test_both_programs_find_the_same_lines(minilm: Path, out: Path, sentences: list[str]) -> None:
    texts = sentences[::26][:LINES]
    (out / "texts.txt").write_text("\n".join(texts) + "\n")
    environment = os.environ | {"TEXTS": str(out / "texts.txt"), "OUT": str(out / "search")}
    run = subprocess.run(
        [ROOT / "Examples/semantic-search/run.sh", *QUERIES], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith("find the same lines.\n")

    tokenizer, model = AutoTokenizer.from_pretrained(minilm), AutoModel.from_pretrained(minilm).eval()
    inputs = tokenizer(texts + QUERIES, padding="longest", truncation=True, max_length=256, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"][..., None]
    vectors = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)
    best = (vectors[LINES:] @ vectors[:LINES].T).topk(5)
    wanted = "".join(
        query + "\n" + "".join(f"  {cosine:.3f}  {texts[line]}\n" for cosine, line in zip(row.tolist(), lines.tolist()))
        for query, row, lines in zip(QUERIES, best.values, best.indices)
    )
    found = (out / "search" / "python.txt").read_text()
    assert [line[:3] + line[7:] for line in found.splitlines()] == [line[:3] + line[7:] for line in wanted.splitlines()]
