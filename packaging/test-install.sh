#!/bin/sh
# test-install.sh PREFIX: a program built against an installed Apus through pkg-config and, where it exists, CMake.
set -eu
prefix=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/main.cpp" <<'C'
#include <apus.hpp>
#include <cstdio>
int main() { return std::printf("%s\n", apus::version().c_str()) > 0 && apus::version() == APUS_VERSION_STRING ? 0 : 1; }
C
for text in LICENSE THIRD-PARTY-NOTICES; do
    [ -s "$prefix/share/doc/apus/$text" ] || { echo "test-install.sh: no $prefix/share/doc/apus/$text" >&2; exit 1; }
done
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
c++ -std=c++17 "$work/main.cpp" -o "$work/shared" $(pkg-config --cflags --libs apus) -Wl,-rpath,"$prefix/lib"
"$work/shared"
c++ -std=c++17 "$work/main.cpp" -o "$work/static" $(pkg-config --cflags apus) "$prefix/lib/libapus.a" -lm -pthread
"$work/static"
c++ -std=c++17 "$work/main.cpp" -o "$work/training" $(pkg-config --cflags --libs apus-training) -Wl,-rpath,"$prefix/lib"
"$work/training"
echo "ok: pkg-config"
command -v cmake >/dev/null || exit 0
cat >"$work/CMakeLists.txt" <<'C'
cmake_minimum_required(VERSION 3.13)
project(Probe CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(Apus 1.0 REQUIRED)
foreach(library apus apus_static apus_training)
  add_executable(probe_${library} main.cpp)
  target_link_libraries(probe_${library} PRIVATE Apus::${library})
endforeach()
C
cmake -S "$work" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$work/build" >/dev/null
"$work/build/probe_apus"
"$work/build/probe_apus_static"
"$work/build/probe_apus_training"
echo "ok: cmake"
