#!/usr/bin/env bash
# Everything that only a GPU can show, in one command: build, tests, NVIDIA's checkers on small
# cases, an epoch on real slices, benchmarks. One folder of results.
#
# Usage: benchmarks/gpu-session.sh OUT [SLICES]
#   OUT     folder for the results
#   SLICES  folder with <id>_img.npy and <id>_seg.npy; without it synthetic slices are made
# Environment: GLIA_BUILD_DIR (build-gpu), a build that is there already is used as it is.
set -uo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { sed -n 2,9p "$0"; exit 2; }
out=$(mkdir -p "$1" && cd "$1" && pwd)
slices=${2:-}
build=${GLIA_BUILD_DIR:-build-gpu}
failed=()

step() { printf '\n== %s (%s s so far)\n' "$1" "$SECONDS"; }
# Keeps the output of a step beside the results and goes on when it fails: a session is short.
try() {
  local name=$1
  shift
  if ! "$@" >"$out/$name.log" 2>&1; then failed+=("$name"); echo "FAILED: $name"; fi
  tail -n 5 "$out/$name.log"
}

step "Build"
if [ ! -x "$build/apps/glia" ]; then
  architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
  try configure cmake --preset cuda -B "$build" \
    -DCMAKE_CUDA_ARCHITECTURES="$architecture"
  try build cmake --build "$build" --parallel "$(nproc)"
fi
glia=$build/apps/glia
nvidia-smi >"$out/nvidia-smi.txt"
try doctor "$glia" doctor --device cuda
"$glia" doctor --json >"$out/environment.json" || exit 1

step "Tests on the GPU"
try tests ctest --test-dir "$build" --label-regex gpu --output-on-failure

step "compute-sanitizer on small cases"
export GLIA_TEST_BACKENDS=cuda
for tool in memcheck racecheck; do
  try "$tool" compute-sanitizer --tool "$tool" --error-exitcode 1 \
    "$build/tests/ops_tests" "[ops]~[large]"
done
unset GLIA_TEST_BACKENDS

step "An epoch on slices"
if [ -z "$slices" ]; then
  slices=$out/slices
  try phantom "$glia" phantom --out "$slices" --patients 20 --slices 30
fi
try split "$glia" split --data "$slices" --out "$out/split"
try train "$glia" train --data "$slices" --split "$out/split" --out "$out/run" --device cuda \
  --epochs 1
try evaluate "$glia" evaluate --checkpoint "$out/run/best.safetensors" --data "$slices" \
  --list "$out/split/val.txt" --device cuda

step "Benchmarks"
try bench "$glia" bench --device cuda --out "$out/bench"

step "Done"
if [ ${#failed[@]} -gt 0 ]; then
  echo "failed: ${failed[*]}"
  exit 1
fi
echo "everything passed; results in $out"
