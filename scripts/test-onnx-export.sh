#!/bin/sh
# Every example's model, some of them quantized too, and every operator's cases exported to ONNX, against ONNX's checker and
# ONNX Runtime (Tests/OnnxSuite/export.py), in the environment of scripts/test-onnx.sh.
set -eu
cd "$(dirname "$0")/.."
[ -x build/onnx-venv/bin/python ] || python3 -m venv build/onnx-venv
build/onnx-venv/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/OnnxSuite/requirements.txt
swift build -c release --product convert-model
swift build --build-tests
swift test --skip-build --filter 'testCaseFilesAreWritten|testOracleFilesAreWritten|ExamplesRoundTripTests' \
    >build/written.log 2>&1 || { cat build/written.log >&2; exit 1; }
rm -rf build/export-models
mkdir -p build/export-models
cp build/oracle/*.apus build/export-models/
rm build/export-models/*-training.apus
for scheme in int8 int8-dynamic w8 w4 w4-dynamic; do
    for model in mnist-cnn cifar-cnn; do
        .build/release/convert-model build/example-models/$model.apus -o build/export-models/$model-$scheme.apus \
            --quantize $scheme --quiet $([ $scheme = int8 ] && echo --calibrate synthetic) >/dev/null
    done
done
APUS_CONVERT_MODEL="$PWD/.build/release/convert-model" APUS_LIBRARY="$PWD/build/libapus-training.so" \
    PYTHONPATH=Bindings/python build/onnx-venv/bin/python Tests/OnnxSuite/export.py \
    --models build/example-models build/export-models --cases build/case-files "$@"
