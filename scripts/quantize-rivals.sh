#!/bin/sh
# Accuracy of the trained examples that scripts/quantize-examples.sh left in build/quantized, in f32 and after quantization by
# Apus, by ONNX Runtime's tool (run there, and imported here) and by TensorFlow's converter for LiteRT: one table
# (Benchmarks/bench/accuracy.py), in the environment of `make bench`.
#
#   DATA=../shared/data scripts/quantize-rivals.sh [MODEL.apus…]
set -eu
cd "$(dirname "$0")/.."
data=${DATA:-../shared/data}
[ -d "$data/mnist" ] || { echo "quantize-rivals: no $data/mnist, skipped"; exit 0; }
[ $# -gt 0 ] || set -- build/quantized/mnist-cnn-[0-9].apus build/quantized/cifar-cnn-[0-9].apus
PYTHONPATH=Benchmarks .venv-bench/bin/python -m bench.accuracy "$data" "$@"
