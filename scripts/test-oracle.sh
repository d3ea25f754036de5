#!/bin/sh
# Whole networks and layers against PyTorch and Keras, which are installed into .venv for it
# (scripts/requirements-oracle.txt).
set -eu
cd "$(dirname "$0")/.."
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r scripts/requirements-oracle.txt
swift build --build-tests
mkdir -p build
swift test --skip-build --filter OracleFilesAreWritten >build/written.log 2>&1 || { cat build/written.log >&2; exit 1; }
.venv/bin/python -m pytest -q Tests/PythonTests/test_torch.py Tests/PythonTests/test_transformers.py
KERAS_BACKEND=torch .venv/bin/python -m pytest -q Tests/PythonTests/test_sequences.py
