#!/bin/sh
# What takes longer than the 20 minutes of scripts/test.sh, which has run before.
set -eu
cd "$(dirname "$0")/.."

APUS_HOSTILE_ROUNDS=400 swift test -c release --scratch-path .build-long -Xswiftc -enable-testing --filter HostileShapeTests
APUS_KILLS=200 swift test --skip-build --disable-swift-testing --filter CheckpointCrashTests
./scripts/sanitize.sh
./scripts/fuzz.sh 600
./scripts/fuzz-import.sh 600
