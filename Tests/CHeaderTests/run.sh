#!/bin/sh
# run.sh [MODEL…]: compiles and runs the tests of this folder against build/libapus.so; prints one line for each.
# Environment: CFLAGS is added to every compilation of a test; TESTS names those to run; LIBRARY is the folder of the
# libapus.so that they use, build by default. Sanitizers bring a malloc of their own, whose place the counted one of memory,
# oom and refused would take: under them set TESTS="opening misuse threads".
set -eu
cd "$(dirname "$0")/../.."
build=build/c-tests
mkdir -p "$build/models"
here=Tests/CHeaderTests
include="-IInclude -IBindings/cpp"
strict="-Wall -Wextra -pedantic -Wshadow -Werror"

# unit COMPILER STANDARD LANGUAGE: the header in two units, one of which includes it twice.
unit() {
    for one in unit_a unit_b; do
        "$1" -std="$2" $strict $include -x "$3" -c "$here/$one.c" -o "$build/$one.o"
    done
    # apus.hpp refers to the library; without it the units are only compiled.
    if [ "$3" = c ] || [ -f build/libapus.so ]; then
        libraries=
        [ "$3" = c ] || libraries="-Lbuild -lapus -Wl,-rpath,$PWD/build"
        "$1" "$build/unit_a.o" "$build/unit_b.o" -o "$build/units" $libraries
        "$build/units"
    fi
    echo "header: $1 $2"
}
for pair in gcc:g++ clang:clang++; do
    if command -v "${pair%:*}" >/dev/null; then
        for standard in c99 c11; do unit "${pair%:*}" $standard c; done
    fi
    if command -v "${pair#*:}" >/dev/null; then
        for standard in c++17 c++20; do unit "${pair#*:}" $standard c++; done
    fi
done

if [ ! -f build/libapus.so ]; then
    echo "build/libapus.so does not exist: run make lib" >&2
    exit 1
fi
cc=${CC:-cc}
cxx=${CXX:-c++}
library=$(cd "${LIBRARY:-build}" && pwd)
link="-L$library -lapus -Wl,-rpath,$library"
for test in opening misuse hosts memory oom refused; do
    $cc -std=c11 -D_GNU_SOURCE -g -O1 $strict ${CFLAGS-} $include "$here/$test.c" -o "$build/$test" $link -lm -pthread
done
$cxx -std=c++17 -g -O1 $strict ${CFLAGS-} $include "$here/threads.cpp" -o "$build/threads" $link -pthread
# The static library needs nothing but libc, libm and pthreads.
$cc -std=c11 -D_GNU_SOURCE -g -O1 $strict ${CFLAGS-} $include "$here/misuse.c" -o "$build/misuse-static" \
    build/libapus.a -lm -pthread

python3 Tests/PythonTests/tiny_models.py "$build/models"
if [ $# -eq 0 ]; then
    set -- "$build"/models/*.apus
    [ ! -f build/digits.apus ] || set -- "$@" build/digits.apus
fi
status=0
check() {
    if "$build/$1" "$2"; then
        echo "ok: $1 $2"
    else
        echo "FAILED ($?): $1 $2"
        status=1
    fi
}
for model; do
    for test in ${TESTS:-opening misuse misuse-static hosts threads memory oom}; do check "$test" "$model"; done
done
if [ -z "${TESTS-}" ]; then
    for broken in "$build"/models/broken/*.apus; do check refused "$broken"; done
fi
exit $status
