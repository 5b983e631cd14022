// What glia kernel says of a kernel.
#pragma once

#include <string>

#include "apps/kernel/judge_run.h"

namespace glia {

/// What was found of one kernel in one file.
struct Verdict {
  std::string file, kernel;  // "mine.cu", "conv2d.dgrad"
  JudgeRun results{}, race{};
  std::string assembly{};  // lines of assembly_of; "" without nvcc
  double seconds = 0;

  bool right() const;
  /// Whether no case launched a __global__ function of the user's.
  bool none_of_its_own() const;
};

/// A line for each side of it, then the first failures.
std::string text_of(const Verdict& verdict);

/// What the cases that fail have in common and no other has, such as "every case with C above 32,
/// and no other"; "" where nothing simple does.
std::string in_common(const std::vector<CaseResult>& cases);

}  // namespace glia
