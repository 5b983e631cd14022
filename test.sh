#!/usr/bin/env bash
# Builds Glia and runs its tests. Usage: ./test.sh [--label LABEL]... (passed on to ctest)
set -euo pipefail
cd "$(dirname "$0")"
tools/install-dependencies --tests
build=${GLIA_BUILD_DIR:-build}
tools/build
ctest --test-dir "$build" --no-tests=error --output-on-failure --parallel "$(tools/jobs)" "$@"
