#!/bin/sh
# hostile.sh [STRIDE]: breaks the six small model files of HostileModels.swift in every way Tests/Fuzz/mutate.c knows, and
# tries each STRIDE-th result (1: all) in the shipped library; then lets every allocation fail over the whole ones. The test
# that writes the files has run before.
set -eu
cd "$(dirname "$0")/.."
stride=${1:-1}
mkdir -p build/fuzz
cc=${CC:-cc}
for library in apus-training apus; do
    $cc -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -IInclude Tests/Fuzz/mutate.c -o build/fuzz/mutate-$library \
        -Lbuild -l$library -Wl,-rpath,"$PWD/build"
done
models=build/fuzz/models
build/fuzz/mutate-apus-training -s "$stride" $models/*.apus
# What the smaller library has of its own is the refusal of training operators.
build/fuzz/mutate-apus -s $((stride * 7)) $models/mlp.apus $models/symbols.apus

$cc -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -IInclude Tests/CHeaderTests/oom.c -o build/fuzz/oom \
    -Lbuild -lapus-training -Wl,-rpath,"$PWD/build"
for model in $models/*.apus $models/deep/*.apus; do
    build/fuzz/oom "$model"
done
