#!/bin/sh
# The gates of the shipped library: size, needed libraries, GLIBC symbols, exports.
set -eu
cd "$(dirname "$0")/.."
library=build/libapus.so
limit=${APUS_SIZE_LIMIT:-800000}

fail() { echo "libapus.so: $*" >&2; exit 1; }

size=$(stat -Lc %s $library)
[ "$size" -le "$limit" ] || fail "$size bytes, wanted at most $limit"

needed=$(readelf -d $library | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort | tr '\n' ' ')
for name in $needed; do
    case $name in libc.so.6 | libm.so.6) ;; *) fail "needs $name, wanted libc and libm alone" ;; esac
done

objdump -T $library | awk '$4 == ".text" { print $NF }' | sort >build/exports.txt
grep -o 'apus_[a-z_]*(' Include/apus.h | tr -d '(' | sort -u | grep -v '^apus_parallel' >build/declared.txt
diff build/declared.txt build/exports.txt >&2 || fail "exports differ from apus.h"

newest=2.17
young=$(objdump -T $library | sed -n 's/.*(GLIBC_\([0-9.]*\)) *\(.*\)/\1 \2/p' | sort -uV |
    awk -v newest=$newest '{ split($1, v, "."); split(newest, w, ".")
        if (v[1] > w[1] || v[1] == w[1] && v[2] > w[2]) print $2 " (GLIBC_" $1 ")" }' | tr '\n' ' ')
[ -z "$young" ] || [ "$(uname -m)" != x86_64 ] || fail "needs ${young% }, wanted nothing above GLIBC_$newest"
highest=$(objdump -T $library | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1)
echo "libapus.so: $size bytes, needs $needed- highest symbol $highest"
