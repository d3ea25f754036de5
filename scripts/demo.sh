#!/bin/sh
# The whole way in one run (make demo): trains on the bundled digits, exports, looks into the file, runs it from C, C++,
# Python and Swift, then compiles and runs what README.md shows.
set -eu
cd "$(dirname "$0")/.."
bin=.build/release
model=build/digits.apus
image=build/digit.f32
wanted=97
PATH=$PWD/.venv/bin:$PATH
export PATH CC="${CC:-cc}" CXX="${CXX:-c++}"

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='== ' plain=; fi
step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
fail() { echo "demo: $*" >&2; exit 1; }

step "1. Train a CNN on 1,437 handwritten digits, test it on 360 others"
"$bin/example-digits" --export "$model" --image "$image" >build/demo.txt || fail "training failed"
cat build/demo.txt
accuracy=$(awk '$1 == "test" && $2 == "accuracy" { print $3 }' build/demo.txt)
awk -v found="$accuracy" -v wanted="$wanted" 'BEGIN { exit !(found >= wanted) }' ||
    fail "accuracy $accuracy %, wanted $wanted % or more"

step "2. What $model holds"
"$bin/apus" inspect "$model" || fail "apus inspect failed"

step "3. One image through C, C++, Python and Swift"
Examples/hello/run.sh "$model" "$image" >build/hello.txt || fail "the languages differ, or one failed"
cat build/hello.txt
for language in cpp python swift; do
    cmp build/hello/c.txt "build/hello/$language.txt" || fail "$language prints other bytes than C"
done
label=$(sed -n 's/.*, a //p' build/demo.txt)
[ "$(sed -n 's/^label //p' build/hello.txt)" = "$label" ] || fail "the image is a $label, the programs say otherwise"

step "4. The programs of README.md"
scripts/check-readme.sh || fail "a program of README.md fails"

step "Done: $accuracy % of the test digits are right, and four languages agree to the bit."
