#!/bin/sh
# Links build/libapus.so and build/libapus.a from the lean targets, compiled as Embedded Swift.
# Only the functions of apus.h are visible; libprotobuf-c is inside.
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n 's/#define APUS_VERSION_STRING "\(.*\)"/\1/p' Include/apus.h)
major=${version%%.*}
scratch=.build-embedded
out=build

# An archive that is updated keeps members whose source is gone.
rm -f $scratch/release/libapus.a
APUS_EMBEDDED=1 swift build -c release --scratch-path $scratch --product apus -j "$(nproc)"

mkdir -p $out/objects
rm -f $out/objects/*
archive=$scratch/release/libapus.a
protobuf=$(cc -print-file-name=libprotobuf-c.a)

{
    echo '{ global:'
    grep -o 'apus_[a-z_]*(' Include/apus.h | tr -d '(' | sort -u | grep -v '^apus_parallel' | sed 's/$/;/'
    echo 'local: *; };'
} >$out/libapus.map

# Swift's own allocations go through cs_swift_allocate and cs_swift_free (CSystem/guard.c).
(cd $out/objects && ar x ../../$archive && ar x "$protobuf")
for object in $out/objects/*.swift.o; do
    objcopy --redefine-sym posix_memalign=cs_swift_allocate --redefine-sym free=cs_swift_free "$object"
done

cc -shared -o $out/libapus.so.$version $out/objects/*.o -Wl,-soname,libapus.so.$major -Wl,--gc-sections \
    -Wl,--version-script=$out/libapus.map -Wl,--no-undefined -Wl,-z,relro,-z,now -Wl,-Bsymbolic -lm
strip --strip-unneeded $out/libapus.so.$version
ln -sf libapus.so.$version $out/libapus.so.$major
ln -sf libapus.so.$version $out/libapus.so

# The static library is one relocatable object whose other symbols are local.
ld -r -o $out/apus.o $out/objects/*.o
objcopy --wildcard --keep-global-symbol='apus_*' $out/apus.o
strip --strip-unneeded -K '' $out/apus.o 2>/dev/null || strip --strip-debug $out/apus.o
rm -f $out/libapus.a
ar rcs $out/libapus.a $out/apus.o
rm -rf $out/apus.o $out/objects
ls -l $out/libapus.so.$version | awk '{ printf "libapus.so: %d bytes\n", $5 }'
