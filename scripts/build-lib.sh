#!/bin/sh
# Builds the libraries that ship, from the lean targets compiled as Embedded Swift:
#
#   build/libapus.so, libapus.a    what inference needs
#   build/libapus-training.so      the same interface, with the operators of training steps
#
# The Swift of the three targets is compiled as one module whose declarations are internal, so that all that apus.h does
# not reach is dropped (Docs/Decisions/0006). Only the functions of apus.h are visible; libprotobuf-c is inside.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
version=$(sed -n 's/#define APUS_VERSION_STRING "\(.*\)"/\1/p' Include/apus.h)
major=${version%%.*}
out=$root/build
work=$out/lean
toolchain=$(dirname "$(readlink -f "$(command -v swiftc)")")
protobuf=$(cc -print-file-name=libprotobuf-c.a)

if [ -e "$out/libapus-training.so" ] && [ -z "$(find Include Sources/CSystem Sources/CKernels Sources/CModelFormat \
    Sources/ApusGraph Sources/ApusRuntime Sources/ApusC scripts/build-lib.sh packaging -type f -newer "$out/libapus-training.so" |
    head -1)" ]; then
    exit 0
fi

rm -rf "$work"
mkdir -p "$work/swift" "$work/protobuf" "$work/modules"
(cd "$work/protobuf" && ar x "$protobuf" && objcopy --remove-section=.eh_frame protobuf-c.o) # as all else: no unwinding

# ---- C: one object a file -------------------------------------------------------------------------------------------
code="-Oz -flto -DNDEBUG -fPIC -ffunction-sections -fdata-sections -fvisibility=hidden -fno-asynchronous-unwind-tables"
# "nooutline" keeps the machine outliner, which makes Swift's code smaller, out of loops that it would slow down; plain
# references have no speed to lose.
export nooutline='s/^attributes #[0-9]* = {/& "nooutline"/'
compile_c() { # name, flags
    mkdir -p "$work/$1"
    find Sources/CSystem Sources/CKernels Sources/CModelFormat -name '*.c' | xargs -P "$(nproc)" -I FILE sh -c "
        object=\"$work/$1/\$(echo FILE | tr / -)\"
        case FILE in *_reference.c) edit= ;; *) edit=\$nooutline ;; esac
        \"$toolchain/clang\" -std=gnu11 $code $2 -ISources/CSystem/include -ISources/CKernels/include \
            -ISources/CModelFormat/include -S -emit-llvm FILE -o - |
            sed \"\$edit\" >\"\$object.ll\" &&
            \"$toolchain/clang\" -x ir \"\$object.ll\" -c $code -Wno-override-module -o \"\$object.o\""
}

# ---- Swift: one module ----------------------------------------------------------------------------------------------
# The limit on a caller's blocks keeps Swift's optimizer from inlining what has no business in a small library.
for module in CSystem CKernels; do
    echo "module $module { header \"$root/Sources/$module/include/$module.h\" export * }"
done >"$work/modules/module.modulemap"
echo "module CModelFormat { header \"$root/Sources/CModelFormat/include/apus.pb-c.h\" export * }" \
    >>"$work/modules/module.modulemap"

internal='s/\b(public|open) (private\(set\) )?/\2/g; s/^(final )?(public|open) //'
for module in ApusGraph ApusRuntime ApusC; do
    find "Sources/$module" -name '*.swift' | while read -r file; do
        target="$work/swift/$module-$(basename "$file")"
        case $module in
            ApusC) sed -E '/^import Apus(Graph|Runtime)$/d' "$file" >"$target" ;;
            *) sed -E "/^(public )?import Apus(Graph|Runtime)\$/d; $internal" "$file" >"$target" ;;
        esac
    done
done

compile_swift() { # name, flags
    "$toolchain/swiftc" -module-name ApusC -parse-as-library -wmo -Osize -swift-version 6 -suppress-warnings \
        -Xllvm -sil-inline-overall-caller-block-limit=5 \
        -enable-experimental-feature Embedded -Xfrontend -disable-stack-protector \
        -Xcc -fmodule-map-file="$work/modules/module.modulemap" -Xcc -fmodule-map-file="$root/Include/module.modulemap" \
        -Xcc -I"$root/Sources/CKernels/include" -Xcc -I"$root/Sources/CSystem/include" \
        -Xcc -I"$root/Sources/CModelFormat/include" $2 -emit-ir "$work"/swift/*.swift -o "$work/$1.ll"
    # Swift's own allocations go through the guard of CSystem/guard.c; empty assembly keeps apart the traps of a function,
    # which can be one. The places of methods that nothing calls are null, for an address there would cost its relocation,
    # and so are those of the destroyers of instance variables, which serve initializers that end half way: there are none.
    sed -i -E 's/@posix_memalign\b/@cs_swift_allocate/g; s/@free\b/@cs_swift_free/g
        s/ptr @swift_deletedMethodError\b/ptr null/g; /^@"[^"]*CN" = /s/ptr @"[^"]*CfE"/ptr null/g
        /call void asm sideeffect ""/d' "$work/$1.ll"
    if grep -q 'call .*@swift_deallocPartialClassInstance' "$work/$1.ll"; then
        echo "build-lib.sh: an initializer of a class ends half way; destroyers of instance variables are needed" >&2
        exit 1
    fi
    "$toolchain/clang" -x ir "$work/$1.ll" -c $code -Wno-override-module -o "$work/$1.swift.o"
}

# ---- Link -----------------------------------------------------------------------------------------------------------
{
    echo '{ global:'
    grep -o 'apus_[a-z_]*(' Include/apus.h | tr -d '(' | sort -u | grep -v '^apus_parallel' | sed 's/$/;/'
    echo 'local: *; };'
} >"$work/exports.map"

shared=
if [ "$(uname -m)" = x86_64 ]; then
    cc -Os -fPIC -fvisibility=hidden -fno-asynchronous-unwind-tables -c packaging/glibc_compat.c -o "$work/glibc_compat.o"
    shared=$work/glibc_compat.o
    for name in $(sed -n 's/^OLD([a-z]*, \([a-z_]*\),.*/\1/p' packaging/glibc_compat.c); do
        shared="$shared -Wl,--wrap=$name"
    done
fi

# Leaves the code of the library as one object beside it, $work/NAME.lto.o. It has no constructors, so the toolchain's start
# files, which run them, stay out.
link_shared() { # name
    "$toolchain/clang" -fuse-ld=lld -nostartfiles -shared -Oz -flto -o "$out/lib$1.so.$version" \
        "$work/$1.swift.o" "$work/$1"/*.o "$work"/protobuf/*.o $shared -lm \
        -Wl,--lto-obj-path="$work/$1.lto.o" -Wl,-mllvm,-enable-machine-outliner=always \
        -Wl,-mllvm,-enable-global-merge-func -Wl,--icf=all -Wl,--gc-sections \
        -Wl,-soname,"lib$1.so.$major" -Wl,--version-script="$work/exports.map" -Wl,--no-undefined -Wl,-Bsymbolic \
        -Wl,-z,relro,-z,now -Wl,-z,noseparate-code -Wl,-O2 -Wl,--hash-style=gnu -Wl,--strip-all
    objcopy --remove-section=.comment "$out/lib$1.so.$version"
    ln -sf "lib$1.so.$version" "$out/lib$1.so.$major"
    ln -sf "lib$1.so.$version" "$out/lib$1.so"
    echo "lib$1.so: $(stat -c %s "$out/lib$1.so.$version") bytes"
}

# One relocatable object whose other symbols are local.
link_static() { # name
    roots=$(grep -o 'apus_[a-z_]*(' Include/apus.h | tr -d '(' | sort -u | grep -v '^apus_parallel' | sed 's/^/-u /')
    ld -r --gc-sections $roots -o "$work/$1.o" "$work/$1.lto.o" "$work"/protobuf/*.o
    objcopy --wildcard --keep-global-symbol='apus_*' "$work/$1.o"
    strip --strip-debug "$work/$1.o"
    rm -f "$out/lib$1.a"
    ar rcs "$out/lib$1.a" "$work/$1.o"
}

compile_c apus -DAPUS_INFERENCE
compile_swift apus "-D APUS_INFERENCE"
link_shared apus
link_static apus
compile_c apus-training ""
compile_swift apus-training ""
link_shared apus-training
rm -rf "$work"
