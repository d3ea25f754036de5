#!/bin/sh
# Every test that finishes within 20 minutes on two cores. Swift's come last: their closing line is the run's.
set -eu
cd "$(dirname "$0")/.."
export APUS_LIBRARY="$PWD/build/libapus.so"

./scripts/check-lib.sh
swift build --build-tests
swift test --skip-build
