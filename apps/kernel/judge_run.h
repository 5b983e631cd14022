// A kernel's cases as the program of tests/judge runs them, in processes of their own.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "kernels/api/table.h"

namespace glia {

struct CaseResult {
  std::string name, text;
  std::map<std::string, std::int64_t> shape;  // "C": 33
  std::vector<std::string> failures;
  std::string declined;               // why the kernel is not for it; then it counts for nothing
  bool not_judged = false;            // our own kernels miss its bounds in this arithmetic
  double share = 0;                   // of its bound that the worst comparison used
  std::vector<std::size_t> launched;  // of JudgeRun::kernels
};

/// A __global__ function that the kernel launched.
struct LaunchedKernel {
  std::string name, place;  // "halo3x3", "mine.cu:30"
  bool of_glia = false;     // its code is not the user's
};

struct JudgeRun {
  std::vector<CaseResult> cases;  // those that ran the kernel
  std::vector<LaunchedKernel> kernels;
  std::vector<std::string> other_groups;  // of cases, for operands of another arithmetic
  std::string profile;                    // of the race checker's: kernels/emu/profile.h
  std::size_t left = 0;                   // cases too large for the race checker
  std::string problem;                    // why there are no more cases
};

struct JudgeOptions {
  bool race = false, tf32 = false;
  std::chrono::seconds case_limit{20};  // for one case
};

/// Runs all cases. A crash or a kernel without end is a failure of its case; after three of either
/// the rest is left. Throws `Error` when the program cannot be run.
JudgeRun run_judge(const std::filesystem::path& library, const KernelInfo& kernel,
                   const JudgeOptions& options);

}  // namespace glia
