#!/usr/bin/env bash
# From nothing to a trained U-Net and pictures of what it sees, in less than ten minutes on two cores:
# installs what is missing, builds, makes synthetic slices, splits them by patient, trains, evaluates,
# predicts. Usage: ./demo.sh [FOLDER]  (default demo-out; it must not exist yet)
#   GLIA_DEMO_EPOCHS  passes over the slices (6); fewer for a quick look, with worse pictures
#   tools/install-dependencies and tools/build name what else can be set
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-demo-out}
if [ -e "$out" ]; then
  echo "demo.sh: $out exists; remove it or name another folder: ./demo.sh FOLDER" >&2
  exit 1
fi
step() { printf '\n== %s\n' "$*"; }

step "Installing what is missing"
tools/install-dependencies

step "Building"
build=${GLIA_BUILD_DIR:-build}
tools/build glia -- -DGLIA_TESTS=OFF -DGLIA_EMU=OFF
glia=$build/apps/glia

step "Making brain-like slices of 40 patients"
"$glia" phantom --out "$out/slices" --patients 40 --slices 10 --seed 1

step "Splitting them by patient"
"$glia" split --data "$out/slices" --out "$out/split" --val 0.2

step "Training a small U-Net"
"$glia" train --data "$out/slices" --split "$out/split" --out "$out/run" \
  --base-width 8 --epochs "${GLIA_DEMO_EPOCHS:-6}" --augment flip,noise=0.05,brightness=0.1

step "Evaluating it on patients that it has not seen"
"$glia" evaluate --checkpoint "$out/run/best.safetensors" --data "$out/slices" \
  --list "$out/split/val.txt" --out "$out/evaluation"

step "Drawing its predictions"
"$glia" predict --checkpoint "$out/run/best.safetensors" --input "$out/slices" \
  --list "$out/split/val.txt" --out "$out/pictures"

step "Done. Look at"
printf '  %-34s %s\n' \
  "$out/pictures/sheet.png" "slice | truth | prediction of twelve slices" \
  "$out/pictures/*_overlay.png" "truth green, prediction red" \
  "$out/run/curves.svg" "loss and IoU by epoch" \
  "$out/run/metrics.csv" "the same as numbers" \
  "$out/evaluation/report.html" "scores, charts, the worst and the best slices" \
  "$out/evaluation/evaluation.json" "every score of every slice and patient"
