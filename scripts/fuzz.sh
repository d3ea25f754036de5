#!/bin/sh
# fuzz.sh SECONDS [TARGET…]: fuzzes the lean library, compiled with AddressSanitizer and coverage, for that long in all:
# `load` opens and inspects, `run` also plans and runs. The corpus starts with the case files that the tests wrote, is kept
# in build/fuzz/corpus, and findings are left in build/fuzz.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
seconds=${1:?seconds}
shift
[ $# -gt 0 ] || set -- load run
work=$root/build/fuzz/objects
toolchain=$(dirname "$(readlink -f "$(command -v swiftc)")")
coverage="-fsanitize=address,fuzzer-no-link -fno-omit-frame-pointer"

compile() {
    rm -rf "$work"
    mkdir -p "$work/c" "$work/swift" "$work/modules"
    includes="-ISources/CSystem/include -ISources/CKernels/include -ISources/CModelFormat/include -IInclude"
    # Kernels without coverage: their loops are no decisions.
    find Sources/CSystem Sources/CModelFormat Sources/CKernels -name '*.c' | xargs -P "$(nproc)" -I FILE sh -c "
        case FILE in *CKernels*) flags=-fsanitize=address ;; *) flags='$coverage' ;; esac
        \"$toolchain/clang\" -std=gnu11 -O1 -g \$flags $includes -c FILE -o \"$work/c/\$(echo FILE | tr / -).o\""
    for module in CSystem CKernels; do
        echo "module $module { header \"$root/Sources/$module/include/$module.h\" export * }"
    done >"$work/modules/module.modulemap"
    echo "module CModelFormat { header \"$root/Sources/CModelFormat/include/apus.pb-c.h\" export * }" \
        >>"$work/modules/module.modulemap"
    # One module, as scripts/build-lib.sh compiles it.
    for module in ApusGraph ApusRuntime ApusC; do
        find "Sources/$module" -name '*.swift' | while read -r file; do
            sed -E '/^(public )?import Apus(Graph|Runtime)$/d' "$file" >"$work/swift/$module-$(basename "$file")"
        done
    done
    "$toolchain/swiftc" -module-name ApusC -parse-as-library -wmo -O -g -swift-version 6 -suppress-warnings \
        -enable-experimental-feature Embedded -Xfrontend -disable-stack-protector -sanitize=address,fuzzer \
        -Xcc -fmodule-map-file="$work/modules/module.modulemap" -Xcc -fmodule-map-file="$root/Include/module.modulemap" \
        -Xcc -I"$root/Sources/CKernels/include" -Xcc -I"$root/Sources/CSystem/include" \
        -Xcc -I"$root/Sources/CModelFormat/include" -emit-object "$work"/swift/*.swift -o "$work/apus.swift.o"
    objcopy --redefine-sym posix_memalign=cs_swift_allocate --redefine-sym free=cs_swift_free "$work/apus.swift.o"
    for target in load run; do
        "$toolchain/clang" -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=address,fuzzer -IInclude "Tests/Fuzz/fuzz_$target.c" \
            "$work/apus.swift.o" "$work"/c/*.o -lprotobuf-c -lm -lpthread -o "build/fuzz/fuzz_$target"
    done
}
if [ ! -e build/fuzz/fuzz_run ] || [ -n "$(find Sources/CSystem Sources/CKernels Sources/CModelFormat Sources/ApusGraph \
    Sources/ApusRuntime Sources/ApusC Tests/Fuzz scripts/fuzz.sh -type f -newer build/fuzz/fuzz_run | head -1)" ]; then
    compile
fi

mkdir -p build/fuzz/corpus
cp -n build/fuzz/models/*.apus build/fuzz/corpus/ 2>/dev/null || true
for folder in build/c-tests/models build/cases Tests/Golden; do
    [ ! -d $folder ] || find $folder -name '*.apus' -size -32k -exec cp -n {} build/fuzz/corpus/ \;
done
for target; do
    # Memory: a session of 64 MiB, the sanitizer's own, and no allocation beyond 1 GiB.
    ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 "build/fuzz/fuzz_$target" -max_total_time=$((seconds / $#)) \
        -max_len=32768 -timeout=30 -rss_limit_mb=3072 -malloc_limit_mb=2048 -dict=Tests/Fuzz/apus.dict -print_final_stats=1 \
        -artifact_prefix=build/fuzz/ -verbosity=0 build/fuzz/corpus
    echo "fuzz $target: clean"
done
