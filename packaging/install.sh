#!/bin/sh
# install.sh ROOT PREFIX: puts the library under ROOT, to be found under PREFIX; the two differ when staging a package.
set -eu
root=$1
prefix=$2
cd "$(dirname "$0")/.."
version=$(sed -n 's/#define APUS_VERSION_STRING "\(.*\)"/\1/p' Include/apus.h)
major=${version%%.*}

fill() { sed "s|@PREFIX@|$prefix|g; s|@VERSION@|$version|g; s|@VERSION_MAJOR@|$major|g" "packaging/$1.in" >"$2/$1"; }

install -d "$root/include" "$root/lib/pkgconfig" "$root/lib/cmake/Apus"
install -m 644 Include/apus.h Bindings/cpp/*.hpp "$root/include"
install -m 755 "build/libapus.so.$version" "$root/lib"
ln -sf "libapus.so.$version" "$root/lib/libapus.so.$major"
ln -sf "libapus.so.$major" "$root/lib/libapus.so"
install -m 755 "build/libapus-training.so.$version" "$root/lib"
ln -sf "libapus-training.so.$version" "$root/lib/libapus-training.so.$major"
ln -sf "libapus-training.so.$major" "$root/lib/libapus-training.so"
install -m 644 build/libapus.a "$root/lib"
install -d "$root/share/doc/apus"
install -m 644 LICENSE THIRD-PARTY-NOTICES "$root/share/doc/apus"
fill apus.pc "$root/lib/pkgconfig"
fill apus-training.pc "$root/lib/pkgconfig"
fill ApusConfig.cmake "$root/lib/cmake/Apus"
fill ApusConfigVersion.cmake "$root/lib/cmake/Apus"
