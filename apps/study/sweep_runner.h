// Runs the trials of a study, some at a time, and keeps the study's files up to date.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "engine/sweep/study.h"

namespace glia {

/// The arguments of `glia` that start a trial or, after a checkpoint, continue it, as job `job`.
using TrialCommand = std::function<std::vector<std::string>(const sweep::Trial&, std::size_t job)>;

/// Trains every trial that is not finished, each as a process of its own and `jobs` at a time,
/// prints a line a trial as they end and renews study.json, trials.csv and report.html in `folder`
/// after each. A trial that fails is recorded and stops nothing. Ctrl-C stops the trials at a
/// checkpoint and then the study.
void run_study(sweep::Study& study, const std::filesystem::path& folder, std::size_t jobs,
               const TrialCommand& command);

/// The last error of the program's output from byte `from` on, else its last line.
std::string last_message(const std::filesystem::path& output, std::size_t from);

}  // namespace glia
