#!/bin/sh
# Compiles the programs that README.md shows, and runs them where build/digits.apus and build/digit.f32 exist.
# Wants build/libapus.so, and for Swift the release build of the package; fails where a program does.
set -eu
cd "$(dirname "$0")/.."
out=build/readme
mkdir -p "$out"

block() { # language: the first block of that language
    awk -v fence='```'"$1" '$0 == "```" { if (inside) exit } inside { print } $0 == fence { inside = 1 }' README.md
}
lines() { # file, limit
    found=$(grep -c . "$1") || true
    [ "$found" -gt 0 ] && [ "$found" -le "$2" ] || { echo "README.md: $found lines in $1, wanted 1 to $2" >&2; exit 1; }
}
runs() { [ -e build/digits.apus ] && [ -e build/digit.f32 ]; }

block c >"$out/infer.c"
lines "$out/infer.c" 15
"${CC:-cc}" -std=c99 -Wall -Wextra -pedantic -Werror -IInclude "$out/infer.c" -Lbuild -lapus -Wl,-rpath,"$PWD/build" \
    -o "$out/infer-c"
echo "C: compiled"
if runs; then "$out/infer-c" <build/digit.f32; fi

block python >"$out/infer.py"
lines "$out/infer.py" 5
python3 -m py_compile "$out/infer.py"
echo "Python: compiled"
if runs; then APUS_LIBRARY=build/libapus.so PYTHONPATH=Bindings/python python3 "$out/infer.py"; fi

block swift >"$out/main.swift"
lines "$out/main.swift" 15
release=.build/release
[ -d $release/Apus.build ] || exit 0
maps=
for module in CKernels CSystem CModelFormat; do
    maps="$maps -Xcc -fmodule-map-file=$PWD/$release/$module.build/module.modulemap"
done
objects=$(for module in Apus ApusRuntime ApusGraph CKernels CSystem CModelFormat; do
    find $release/$module.build -name '*.o'
done)
swiftc -swift-version 6 -I $release/Modules -I Sources/CImage $maps "$out/main.swift" $objects \
    -lprotobuf-c -lpng -ljpeg -lz -o "$out/train-swift"
echo "Swift: compiled"
"$out/train-swift" 2>/dev/null
