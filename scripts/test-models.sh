#!/bin/sh
# Models that PyTorch exports against convert-model, libapus and ONNX Runtime (Tests/OnnxModels), in an environment of its
# own.
set -eu
cd "$(dirname "$0")/.."
[ -x build/models-venv/bin/python ] || python3 -m venv build/models-venv
build/models-venv/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/OnnxModels/requirements.txt
swift build -c release --product convert-model
./scripts/build-lib.sh
APUS_CONVERT_MODEL="$PWD/.build/release/convert-model" APUS_LIBRARY="$PWD/build/libapus.so" \
    PYTHONPATH=Bindings/python build/models-venv/bin/python Tests/OnnxModels/run.py "$@"
