// Programs that the kit runs: each with a time after which it is stopped, and all that it prints in
// the kit's log.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/study/child_process.h"

namespace glia::kit {

using Command = std::vector<std::string>;
using glia::kMercy;
using Seconds = std::chrono::duration<double>;
using Deadline = std::chrono::steady_clock::time_point;
/// So long from now.
Deadline after(Seconds seconds);

/// What a program said and how it ended.
struct Ran {
  ProcessEnd end;
  bool stopped = false;  // at the deadline
  std::string output;    // and its messages
  double seconds = 0;

  bool good() const { return !stopped && end.signal == 0 && end.status == 0; }
  /// "exit status 1: " and the last line of its output, for a person.
  std::string problem() const;
};

/// Runs `command` until it ends or `deadline`, when it gets SIGTERM, and SIGKILL after `mercy`. Its
/// output goes to a file in `folder` meanwhile. Throws `Error` when no process can be started.
Ran run(const Command& command, Deadline deadline, const std::filesystem::path& folder,
        Seconds mercy = kMercy);

/// When the first of `parts` that are still to be run must have ended, if all are to get as long.
Deadline share(Deadline deadline, int parts);

/// Every program of this name on the PATH.
std::vector<std::string> find_programs(const std::string& name);
/// The first of them; empty where there is none.
std::string find_program(const std::string& name);

}  // namespace glia::kit
