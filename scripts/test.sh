#!/bin/sh
# Every test that finishes within 20 minutes on two cores. Swift's come last: their closing line is the run's.
set -eu
cd "$(dirname "$0")/.."
export APUS_LIBRARY="$PWD/build/libapus.so"

# A browser opens the quantization report; that test skips where the distribution has none as a package.
if apt-cache show chromium-headless-shell >/dev/null 2>&1; then
    ./scripts/setup.sh chromium-headless-shell || echo "no browser could be installed" >&2
fi
./scripts/check-lib.sh
swift build --build-tests

# The second reader and PyTorch recompute what these write.
swift test --skip-build --filter 'testCaseFilesAreWritten|testOracleFilesAreWritten|testHostileModelsAreWritten|testReportIsWritten' >build/written.log 2>&1 ||
    { cat build/written.log >&2; exit 1; }
.venv/bin/python -m pytest -q Tests/PythonTests

Tests/CHeaderTests/run.sh
PATH="$PWD/.venv/bin:$PATH" ./scripts/check-readme.sh
./scripts/hostile.sh
packaging/install.sh "$PWD/build/prefix" "$PWD/build/prefix"
packaging/test-install.sh build/prefix

swift test --skip-build --disable-swift-testing
