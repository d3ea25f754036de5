#!/bin/sh
# What converting and opening models of 500 MB costs (Tests/LargeModel), in the environment of scripts/test-onnx.sh.
set -eu
cd "$(dirname "$0")/.."
[ -x build/onnx-venv/bin/python ] || python3 -m venv build/onnx-venv
build/onnx-venv/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/OnnxSuite/requirements.txt
swift build -c release --product convert-model
APUS_LIBRARY="$PWD/build/libapus.so" PYTHONPATH=Bindings/python \
    build/onnx-venv/bin/python Tests/LargeModel/run.py .build/release/convert-model
