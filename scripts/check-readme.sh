#!/bin/sh
# Compiles the programs that README.md and the heads of apus.h, apus.hpp and the bindings' READMEs show, and runs them where
# build/digits.apus and build/digit.f32 exist. Wants build/libapus.so, and for Swift the release build of the package; fails
# where a program does.
set -eu
cd "$(dirname "$0")/.."
out=build/readme
mkdir -p "$out"

block() { # language, file: the first block of that language
    awk -v fence='```'"$1" '$0 == "```" { if (inside) exit } inside { print } $0 == fence { inside = 1 }' "${2:-README.md}"
}
lines() { # file, limit
    found=$(grep -c . "$1") || true
    [ "$found" -gt 0 ] && [ "$found" -le "$2" ] || { echo "README.md: $found lines in $1, wanted 1 to $2" >&2; exit 1; }
}
runs() { [ -e build/digits.apus ] && [ -e build/digit.f32 ]; }

block c >"$out/infer.c"
lines "$out/infer.c" 15
command=$(grep -o '`cc -IInclude infer\.c [^`]*`' README.md | tr -d '`' | sed "s|infer\.c|$out/infer.c|")
[ -n "$command" ] || { echo 'README.md: no command `cc -IInclude infer.c …`' >&2; exit 1; }
eval "${CC:-cc} -std=c99 -Wall -Wextra -pedantic -Werror -o $out/infer-c ${command#cc }"
echo "C: compiled"
if runs; then "$out/infer-c" <build/digit.f32 >"$out/infer.txt" && cat "$out/infer.txt"; fi

# The lessons, each made a program that prints the logits.
same() { # name, program
    echo "$1: compiled"
    runs || return 0
    (cd build && "readme/$2" <digit.f32) >"$out/$2.txt"
    cut -d' ' -f2 "$out/infer.txt" | diff - "$out/$2.txt" >&2 || { echo "$1: another result than README.md's" >&2; exit 1; }
}
program() { # include, declarations; what comes in between, in standard input
    printf '#include <%s>\n#include <stdio.h>\nint main(void) {\n%s\n' "$1" "$2"
    echo 'if (fread(&image[0], 4, 64, stdin) != 64) return 1;'
    grep -v '#include'
    echo '}'
}
print='for (int i = 0; i < 10; ++i) printf("%g\n", logits[i]);'
{ sed -n '/^ \*\/$/q; s/^ \*     //p' Include/apus.h && printf '%s\n' "$print"; } |
    program apus.h 'float image[64], logits[10];' >"$out/lesson.c"
"${CC:-cc}" -std=c99 -Wall -Wextra -Werror -IInclude "$out/lesson.c" -Lbuild -lapus -Wl,-rpath,"$PWD/build" -o "$out/lesson-c"
same apus.h lesson-c

cxx() { # name, standard
    program apus.hpp 'std::vector<float> image(64);' >"$out/$1.cpp"
    "${CXX:-c++}" -std="$2" -Wall -Wextra -Werror -IInclude -IBindings/cpp "$out/$1.cpp" -Lbuild -lapus \
        -Wl,-rpath,"$PWD/build" -o "$out/$1"
}
{ sed -n '/^#/q; s|^//     ||p' Bindings/cpp/apus.hpp && printf '%s\n' "$print"; } | cxx lesson-cpp c++17
same apus.hpp lesson-cpp
block cpp Bindings/cpp/README.md | cxx readme-cpp c++20
same Bindings/cpp/README.md readme-cpp

block python >"$out/infer.py"
lines "$out/infer.py" 5
python3 -m py_compile "$out/infer.py"
echo "Python: compiled"
export APUS_LIBRARY=$PWD/build/libapus.so PYTHONPATH=$PWD/Bindings/python
if runs; then python3 "$out/infer.py"; fi
block python Bindings/python/README.md >"$out/readme.py"
python3 -m py_compile "$out/readme.py"
if runs; then (cd build && python3 readme/readme.py); fi

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
