#!/bin/sh
# fuzz-import.sh SECONDS: fuzzes the import of ONNX, compiled with AddressSanitizer and coverage, for that long. The corpus
# starts with the node cases of the package onnx and is kept in build/fuzz/onnx/corpus; findings are left beside it.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
seconds=${1:?seconds}
work=$root/build/fuzz/import
toolchain=$(dirname "$(readlink -f "$(command -v swiftc)")")

compile() {
    rm -rf "$work"
    mkdir -p "$work/c" "$work/modules"
    find Sources/CSystem Sources/CModelFormat Sources/COnnxFormat Sources/CKernels -name '*.c' | xargs -P "$(nproc)" -I FILE sh -c "
        case FILE in *CKernels*) flags= ;; *) flags=-fsanitize=fuzzer-no-link ;; esac
        \"$toolchain/clang\" -std=gnu11 -O1 -g -fsanitize=address \$flags -ISources/CSystem/include -ISources/CKernels/include \
            -ISources/CModelFormat/include -ISources/COnnxFormat/include -c FILE -o \"$work/c/\$(echo FILE | tr / -).o\""
    "$toolchain/clang" -std=c11 -D_GNU_SOURCE -O1 -g -IInclude -c Tests/Fuzz/onnx_mutator.c -o "$work/c/mutator.o"
    for module in CSystem CKernels; do
        echo "module $module { header \"$root/Sources/$module/include/$module.h\" export * }"
    done >"$work/modules/module.modulemap"
    echo "module CModelFormat { header \"$root/Sources/CModelFormat/include/apus.pb-c.h\" export * }" >>"$work/modules/module.modulemap"
    echo "module COnnxFormat { header \"$root/Sources/COnnxFormat/include/onnx.pb-c.h\" export * }" >>"$work/modules/module.modulemap"
    # What decides is instrumented; the rest is only watched by AddressSanitizer.
    swift_module ApusGraph address,fuzzer $(find Sources/ApusGraph -name '*.swift')
    swift_module ApusRuntime address $(find Sources/ApusRuntime -name '*.swift')
    swift_module Apus address $(find Sources/Apus -name '*.swift')
    swift_module ApusConvert address,fuzzer $(find Sources/ApusConvert -name '*.swift')
    swift_module FuzzImport address Tests/Fuzz/fuzz_import.swift
    "$toolchain/swiftc" -sanitize=address,fuzzer "$work"/*.o "$work"/c/*.o -lprotobuf-c -lpng -ljpeg -lz -lm -lpthread \
        -o "$work/fuzz_import"
}

swift_module() { # name, sanitizers, sources
    name=$1 sanitizers=$2
    shift 2
    "$toolchain/swiftc" -module-name "$name" -parse-as-library -wmo -O -g -swift-version 6 -suppress-warnings -enable-testing \
        -sanitize="$sanitizers" -Xcc -fmodule-map-file="$work/modules/module.modulemap" \
        -Xcc -fmodule-map-file="$root/Sources/CImage/module.modulemap" -I "$work/modules" \
        -Xcc -I"$root/Sources/CKernels/include" -Xcc -I"$root/Sources/CSystem/include" \
        -Xcc -I"$root/Sources/CModelFormat/include" -Xcc -I"$root/Sources/COnnxFormat/include" \
        -emit-module -emit-module-path "$work/modules/$name.swiftmodule" -emit-object -o "$work/$name.o" "$@"
}

if [ ! -e "$work/fuzz_import" ] || [ -n "$(find Sources Tests/Fuzz scripts/fuzz-import.sh -type f -newer "$work/fuzz_import" | head -1)" ]; then
    compile
fi

corpus=$root/build/fuzz/onnx
if [ ! -e "$corpus/onnx.dict" ]; then
    [ -x build/onnx-venv/bin/python ] || python3 -m venv build/onnx-venv
    build/onnx-venv/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/OnnxSuite/requirements.txt
    build/onnx-venv/bin/python Tests/Fuzz/onnx_corpus.py "$corpus"
fi
ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 LSAN_OPTIONS="suppressions=$root/Tests/Sanitizers/leaks.txt:print_suppressions=0" \
    "$work/fuzz_import" -max_total_time="$seconds" -max_len=16384 -timeout=30 -rss_limit_mb=3072 -malloc_limit_mb=1024 \
    -dict="$corpus/onnx.dict" -print_final_stats=1 -artifact_prefix="$corpus/" -verbosity=0 "$corpus/corpus"
echo "fuzz import: clean"
