#!/bin/sh
# Broken ONNX models, twenty of them from ONNX's suite: by convert-model, a process each, and thousands in one process
# (Tests/OnnxSuite/hostile.py, OnnxHostileTests.swift).
set -eu
cd "$(dirname "$0")/.."
[ -x build/onnx-venv/bin/python ] || python3 -m venv build/onnx-venv
build/onnx-venv/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/OnnxSuite/requirements.txt
swift build -c release --product convert-model
swift build --build-tests
APUS_CONVERT_MODEL="$PWD/.build/release/convert-model" \
    build/onnx-venv/bin/python Tests/OnnxSuite/hostile.py build/onnx-hostile
swift test --skip-build --disable-swift-testing --filter OnnxHostileTests
