#!/bin/sh
# run.sh MODEL IMAGE: the four programs on one image; prints the common output, or fails where one differs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
lib=$root/build
out=$lib/hello
mkdir -p "$out"
link="-L$lib -lapus -Wl,-rpath,$lib"

${CC:-clang} -std=c11 -O1 -Wall -Wextra -I"$root/Include" "$here/hello.c" -o "$out/hello-c" $link
${CXX:-clang++} -std=c++17 -O1 -Wall -Wextra -I"$root/Include" -I"$root/Bindings/cpp" "$here/hello.cpp" -o "$out/hello-cpp" $link
[ "$out/hello-swift" -nt "$here/hello.swift" ] ||
    swiftc -O -I "$root/Include" "$here/hello.swift" -L "$lib" -lapus -Xlinker -rpath -Xlinker "$lib" -o "$out/hello-swift"

"$out/hello-c" "$@" >"$out/c.txt"
"$out/hello-cpp" "$@" >"$out/cpp.txt"
APUS_LIBRARY=$lib/libapus.so PYTHONPATH=$root/Bindings/python python3 "$here/hello.py" "$@" >"$out/python.txt"
"$out/hello-swift" "$@" >"$out/swift.txt"
cat "$out/c.txt"
for language in cpp python swift; do
    cmp "$out/c.txt" "$out/$language.txt"
done
echo "C, C++, Python and Swift print the same bytes."
