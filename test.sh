#!/usr/bin/env bash
# Builds Glia and runs its tests. Usage: ./test.sh [--label LABEL]... (passed on to ctest)
set -euo pipefail
cd "$(dirname "$0")"
tools/install-dependencies --tests
build=${GLIA_BUILD_DIR:-build}
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DGLIA_UNITY=ON -DGLIA_TESTS=ON -DGLIA_EMU=ON >/dev/null
cmake --build "$build" --parallel "$(nproc)"
ctest --test-dir "$build" --no-tests=error --output-on-failure --parallel "$(nproc)" "$@"
