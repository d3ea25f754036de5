#!/bin/sh
# fuzz.sh SECONDS [TARGET…]: fuzzes the lean library, compiled with AddressSanitizer and coverage, for that long in all:
# `load` opens and inspects, `run` also plans and runs. The corpus starts with the case files that the tests wrote, is kept
# in build/fuzz/corpus, and findings are left in build/fuzz. The import of ONNX has a script of its own, fuzz-import.sh.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
seconds=${1:?seconds}
shift
[ $# -gt 0 ] || set -- load run
work=$root/build/fuzz/objects
toolchain=$(dirname "$(readlink -f "$(command -v swiftc)")")

compile() {
    # Kernels without coverage: their loops are no decisions.
    scripts/lean-objects.sh "$work" "-fsanitize=address,fuzzer-no-link -fno-omit-frame-pointer" -fsanitize=address \
        -sanitize=address,fuzzer
    for target in load run; do
        "$toolchain/clang" -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=address,fuzzer -IInclude "Tests/Fuzz/fuzz_$target.c" \
            "$work/apus.swift.o" "$work"/c/*.o -lprotobuf-c -lm -lpthread -o "build/fuzz/fuzz_$target"
    done
}
if [ ! -e build/fuzz/fuzz_run ] || [ -n "$(find Sources/CSystem Sources/CKernels Sources/CModelFormat Sources/ApusGraph \
    Sources/ApusRuntime Sources/ApusC Tests/Fuzz scripts/fuzz.sh scripts/lean-objects.sh \
    -type f -newer build/fuzz/fuzz_run | head -1)" ]; then
    compile
fi

mkdir -p build/fuzz/corpus
cp -n build/fuzz/models/*.apus build/fuzz/corpus/ 2>/dev/null || true
for folder in build/c-tests/models build/case-files build/oracle/streams Tests/Golden; do
    [ ! -d $folder ] || find $folder -name '*.apus' -size -32k -exec cp -n {} build/fuzz/corpus/ \;
done
for target; do
    # Memory: a session of 64 MiB, the sanitizer's own, and no allocation beyond 1 GiB.
    ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 "build/fuzz/fuzz_$target" -max_total_time=$((seconds / $#)) \
        -max_len=32768 -timeout=30 -rss_limit_mb=3072 -malloc_limit_mb=2048 -dict=Tests/Fuzz/apus.dict -print_final_stats=1 \
        -artifact_prefix=build/fuzz/ -verbosity=0 build/fuzz/corpus
    echo "fuzz $target: clean"
done
