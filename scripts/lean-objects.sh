#!/bin/sh
# lean-objects.sh FOLDER FLAGS KERNEL-FLAGS SWIFT-FLAGS: compiles the lean library for tests, neither small nor stripped:
# objects of C in FOLDER/c, and of Swift, as one module like scripts/build-lib.sh, in FOLDER/apus.swift.o. KERNEL-FLAGS
# stand for FLAGS in CKernels. Linking them needs -lprotobuf-c -lm -lpthread. What is up to date stays.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
work=$1
toolchain=$(dirname "$(readlink -f "$(command -v swiftc)")")
includes="-ISources/CSystem/include -ISources/CKernels/include -ISources/CModelFormat/include -IInclude"

if [ -e "$work/apus.swift.o" ] && [ "$*" = "$(cat "$work/arguments" 2>/dev/null)" ] && [ -z "$(find Include Sources/CSystem Sources/CKernels \
    Sources/CModelFormat Sources/ApusGraph Sources/ApusRuntime Sources/ApusC scripts/lean-objects.sh -type f \
    -newer "$work/apus.swift.o" | head -1)" ]; then
    exit 0
fi

rm -rf "$work"
mkdir -p "$work/c" "$work/swift" "$work/modules"
find Sources/CSystem Sources/CModelFormat Sources/CKernels -name '*.c' | xargs -P "$(nproc)" -I FILE sh -c "
    case FILE in *CKernels*) flags='$3' ;; *) flags='$2' ;; esac
    \"$toolchain/clang\" -std=gnu11 -O1 -g -fPIC \$flags $includes -c FILE -o \"$work/c/\$(echo FILE | tr / -).o\""
for module in CSystem CKernels; do
    echo "module $module { header \"$root/Sources/$module/include/$module.h\" export * }"
done >"$work/modules/module.modulemap"
echo "module CModelFormat { header \"$root/Sources/CModelFormat/include/apus.pb-c.h\" export * }" \
    >>"$work/modules/module.modulemap"
for module in ApusGraph ApusRuntime ApusC; do
    find "Sources/$module" -name '*.swift' | while read -r file; do
        sed -E '/^(public )?import Apus(Graph|Runtime)$/d' "$file" >"$work/swift/$module-$(basename "$file")"
    done
done
"$toolchain/swiftc" -module-name ApusC -parse-as-library -wmo -O -g -swift-version 6 -suppress-warnings \
    -enable-experimental-feature Embedded -Xfrontend -disable-stack-protector $4 \
    -Xcc -fmodule-map-file="$work/modules/module.modulemap" -Xcc -fmodule-map-file="$root/Include/module.modulemap" \
    -Xcc -I"$root/Sources/CKernels/include" -Xcc -I"$root/Sources/CSystem/include" \
    -Xcc -I"$root/Sources/CModelFormat/include" -emit-object "$work"/swift/*.swift -o "$work/apus.swift.o"
echo "$*" >"$work/arguments"
objcopy --redefine-sym posix_memalign=cs_swift_allocate --redefine-sym free=cs_swift_free "$work/apus.swift.o"
