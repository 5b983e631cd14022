// A run of the kit: its steps one after another, within a budget.
#pragma once

#include <string>
#include <vector>

namespace glia::kit {

struct RunOptions {
  std::string kit, out;
  std::vector<std::string> only = {};  // steps; empty: all
  double budget = 480;                 // seconds after which no step is begun
  bool emulator = false;  // a rehearsal: tiny shapes on the emulator of the CUDA kernels
};

/// Runs the steps and writes `out`/results.json after each. Throws `Error` before the first one
/// where `only` names no step, `kit` lacks something or its programs do not start, or `out` has
/// results already; after the last one where some failed.
void run_kit(const RunOptions& options);

}  // namespace glia::kit
