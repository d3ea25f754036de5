#!/bin/sh
# Models that PyTorch exports against convert-model, libapus and ONNX Runtime (Tests/OnnxModels), in an environment of its
# own. A wheel of PyTorch in TORCH_WHEEL is taken instead of the one that the package index of PyTorch has for CPUs.
set -eu
cd "$(dirname "$0")/.."
python=build/models-venv/bin/python
[ -x $python ] || python3 -m venv build/models-venv
pip="$python -m pip install --quiet --disable-pip-version-check"
$pip ${TORCH_WHEEL:---extra-index-url https://download.pytorch.org/whl/cpu} -r Tests/OnnxModels/requirements.txt
swift build -c release --product convert-model
./scripts/build-lib.sh
APUS_CONVERT_MODEL="$PWD/.build/release/convert-model" APUS_LIBRARY="$PWD/build/libapus.so" \
    PYTHONPATH=Bindings/python $python Tests/OnnxModels/run.py "$@"
