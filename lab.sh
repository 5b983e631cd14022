#!/usr/bin/env bash
# From nothing to gradients that are checked, on a laptop without a GPU and without CUDA: installs what is
# missing, builds glia with the emulator that runs the GPU's kernels and with the judge of your own kernels,
# checks every gradient on the CPU and on the emulated GPU, and plants a mistake that the check finds.
# Usage: ./lab.sh
#   tools/install-dependencies and tools/build name what can be set
set -euo pipefail
cd "$(dirname "$0")"
step() { printf '\n== %s\n' "$*"; }

step "Installing what is missing"
tools/install-dependencies --tests

step "Building"
build=${GLIA_BUILD_DIR:-build}
# Said aloud: demo.sh configures the same folder without them.
options=(-DGLIA_EMU=ON -DGLIA_TESTS=ON)
# Kernels for a GPU that is not there take longer to compile than all the rest.
command -v nvidia-smi >/dev/null || options+=(-DGLIA_CUDA=OFF)
tools/build glia kernel_judge -- "${options[@]}"
glia=$build/apps/glia

step "Every gradient on the CPU, beside central differences in float64"
"$glia" gradcheck

step "Those of convolutions by the GPU's kernels, in the emulator"
"$glia" gradcheck conv2d conv_transpose2d --backend emu

step "The same with a mistake in them"
"$glia" gradcheck conv2d --backend emu --break stride-forgotten

step "Done. Look at"
printf '  %-42s %s\n' \
  "docs/gradcheck.md" "what the columns say, and the other mistakes" \
  "$glia gradcheck --break list" "the mistakes" \
  "$glia gradcheck --net" "whole networks" \
  "$glia kernel --new relu.forward" "a kernel of your own (docs/your-kernel.md)"
