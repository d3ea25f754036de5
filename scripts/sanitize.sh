#!/bin/sh
# sanitize.sh [asan|tsan…]: every test of the package, and the tests of apus.h against the lean library, under
#
#   asan   AddressSanitizer with its leak check, and in C UndefinedBehaviorSanitizer
#   tsan   ThreadSanitizer
#
# Fails where one finds anything but the false leaks of Tests/Sanitizers. Environment: APUS_KILLS, 3 by default, and
# APUS_HOSTILE_ROUNDS, 8 by default.
set -eu
cd "$(dirname "$0")/.."
leaks=$PWD/Tests/Sanitizers/leaks.txt
toolchain=$(dirname "$(readlink -f "$(command -v swiftc)")")
[ $# -gt 0 ] || set -- asan tsan
export APUS_KILLS="${APUS_KILLS:-3}" APUS_HOSTILE_ROUNDS="${APUS_HOSTILE_ROUNDS:-8}"
# An exit status of their own: tests of the tools expect 1, 2 and 64.
export ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:exitcode=99"
export LSAN_OPTIONS="suppressions=$leaks:print_suppressions=0"
export UBSAN_OPTIONS="print_stacktrace=1"
export TSAN_OPTIONS="exitcode=99"

# C is optimized a little: without that the kernels take hours.
package() { # name, sanitizer, flags of C
    flags="--scratch-path .build-$1 --sanitize=$2 -Xcc -O1"
    for flag in $3; do flags="$flags -Xcc $flag"; done
    # The compiler is no program to look for leaks in.
    ASAN_OPTIONS=detect_leaks=0 swift build --build-tests $flags
    swift test --skip-build --disable-swift-testing $flags
}

# The library as one module of Embedded Swift, as it ships. Its kernels go without UndefinedBehaviorSanitizer, under which the
# package runs them. Of the tests, memory, oom and refused count in a malloc of their own, which would take the place of the
# sanitizer's.
header() { # name, sanitizer, flags of C, flags of programs
    scripts/lean-objects.sh "build/$1" "-fsanitize=$2 $3" -fsanitize="$2" -sanitize="$2"
    "$toolchain/clang" -shared -fuse-ld=lld -fsanitize="$2" -Wl,-Bsymbolic "build/$1/apus.swift.o" "build/$1"/c/*.o \
        -lprotobuf-c -lm -o "build/$1/libapus.so"
    CC="$toolchain/clang" CXX="$toolchain/clang++" CFLAGS="-fuse-ld=lld -fsanitize=$2 $3 $4" LIBRARY="build/$1" \
        TESTS="opening misuse threads" Tests/CHeaderTests/run.sh
}

scripts/build-lib.sh
for name; do
    case $name in
        asan) sanitizer=address c="-fsanitize=undefined -fno-sanitize-recover=undefined" program= ;;
        tsan) # Swift's ThreadSanitizer knows libdispatch, and so needs it.
            swift=$toolchain/../lib/swift/linux
            sanitizer=thread c= program="-L$swift -ldispatch -lBlocksRuntime -Wl,-rpath,$swift"
            ;;
        *) echo "sanitize.sh: no sanitizer '$name'" >&2; exit 64 ;;
    esac
    header $name $sanitizer "$c" "$program"
    package $name $sanitizer "$c"
    echo "sanitize $name: clean"
done
