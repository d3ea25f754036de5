#!/bin/sh
# ONNX's backend suite, then quantized models and ONNX Runtime's own operators, against convert-model and libapus-training
# (Tests/OnnxSuite), in an environment of its own.
set -eu
cd "$(dirname "$0")/.."
[ -x build/onnx-venv/bin/python ] || python3 -m venv build/onnx-venv
build/onnx-venv/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/OnnxSuite/requirements.txt
swift build -c release --product convert-model
export APUS_CONVERT_MODEL="$PWD/.build/release/convert-model" APUS_LIBRARY="$PWD/build/libapus-training.so" PYTHONPATH=Bindings/python
build/onnx-venv/bin/python Tests/OnnxSuite/run.py "$@"
build/onnx-venv/bin/python Tests/OnnxSuite/quantized.py
build/onnx-venv/bin/python Tests/OnnxSuite/contributed.py
