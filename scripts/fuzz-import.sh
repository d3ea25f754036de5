#!/bin/sh
# fuzz-import.sh SECONDS: fuzzes the import of ONNX, compiled with AddressSanitizer and coverage, for that long. The corpus
# starts with the node cases of the package onnx and is kept in build/fuzz/onnx/corpus; findings are left beside it.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
seconds=${1:?seconds}
work=$root/build/fuzz/import
toolchain=$(dirname "$(readlink -f "$(command -v swiftc)")")

mkdir -p "$work/c" "$work/modules"

# C of the folders, where one of their files has changed. Kernels go without coverage: their loops are no decisions.
compile_c() {
    folders="Sources/CSystem Sources/CModelFormat Sources/COnnxFormat Sources/CKernels"
    [ -z "$(find $folders Tests/Fuzz -name '*.[ch]' -newer "$work/c/mutator.o" 2>&1 | head -1)" ] && return
    find $folders -name '*.c' | xargs -P "$(nproc)" -I FILE sh -c "
        case FILE in *CKernels*) flags= ;; *) flags=-fsanitize=fuzzer-no-link ;; esac
        \"$toolchain/clang\" -std=gnu11 -O1 -g -fsanitize=address \$flags -ISources/CSystem/include -ISources/CKernels/include \
            -ISources/CModelFormat/include -ISources/COnnxFormat/include -c FILE -o \"$work/c/\$(echo FILE | tr / -).o\""
    for module in CSystem:CSystem CKernels:CKernels CModelFormat:apus.pb-c COnnxFormat:onnx.pb-c; do
        name=${module%:*}
        echo "module $name { header \"$root/Sources/$name/include/${module#*:}.h\" export * }"
    done >"$work/modules/module.modulemap"
    "$toolchain/clang" -std=c11 -D_GNU_SOURCE -O1 -g -IInclude -c Tests/Fuzz/onnx_mutator.c -o "$work/c/mutator.o"
}

# A module, where one of its files or of a module before it has changed.
compile_swift() { # name, sanitizers, folder or file
    [ -z "$changed" ] && [ -z "$(find "$3" -name '*.swift' -newer "$work/$1.o" 2>&1 | head -1)" ] && return
    changed=yes
    "$toolchain/swiftc" -module-name "$1" -parse-as-library -wmo -O -g -swift-version 6 -suppress-warnings -enable-testing \
        -sanitize="$2" -Xcc -fmodule-map-file="$work/modules/module.modulemap" \
        -Xcc -fmodule-map-file="$root/Sources/CImage/module.modulemap" -I "$work/modules" \
        -Xcc -I"$root/Sources/CKernels/include" -Xcc -I"$root/Sources/CSystem/include" \
        -Xcc -I"$root/Sources/CModelFormat/include" -Xcc -I"$root/Sources/COnnxFormat/include" \
        -emit-module -emit-module-path "$work/modules/$1.swiftmodule" -emit-object -o "$work/$1.o" \
        $(find "$3" -name '*.swift')
}

changed=
compile_c
# What decides is instrumented; the rest is only watched by AddressSanitizer.
compile_swift ApusGraph address,fuzzer Sources/ApusGraph
compile_swift ApusRuntime address Sources/ApusRuntime
compile_swift Apus address Sources/Apus
compile_swift ApusConvert address,fuzzer Sources/ApusConvert
compile_swift FuzzImport address Tests/Fuzz/fuzz_import.swift
"$toolchain/swiftc" -use-ld=lld -sanitize=address,fuzzer "$work"/*.o "$work"/c/*.o -lprotobuf-c -lpng -ljpeg -lz -lm -lpthread \
    -o "$work/fuzz_import"

corpus=$root/build/fuzz/onnx
if [ ! -e "$corpus/onnx.dict" ]; then
    [ -x build/onnx-venv/bin/python ] || python3 -m venv build/onnx-venv
    build/onnx-venv/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/OnnxSuite/requirements.txt
    build/onnx-venv/bin/python Tests/Fuzz/onnx_corpus.py "$corpus"
fi
# Swift's own report of a crash would take the place of the sanitizer's.
SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 LSAN_OPTIONS="suppressions=$root/Tests/Sanitizers/leaks.txt:print_suppressions=0" \
    "$work/fuzz_import" -max_total_time="$seconds" -max_len=16384 -timeout=30 -rss_limit_mb=3072 -malloc_limit_mb=1024 \
    -dict="$corpus/onnx.dict" -print_final_stats=1 -artifact_prefix="$corpus/" -verbosity=0 "$corpus/corpus"
echo "fuzz import: clean"
