"""Finds the package and the library of this checkout, and makes the models that the tests run."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Bindings" / "python"))
os.environ.setdefault("APUS_LIBRARY", str(ROOT / "build" / "libapus.so"))

import pytest
import tiny_models


@pytest.fixture(scope="session")
def counter() -> bytes:
    return tiny_models.counter()


@pytest.fixture(scope="session")
def casts() -> bytes:
    return tiny_models.casts()


@pytest.fixture(scope="session")
def classifier() -> bytes:
    return tiny_models.classifier()


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    return tiny_models.write_all(tmp_path_factory.mktemp("models"))
