// Runs the built program `glia` as a user would.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace glia {

struct Outcome {
  int code = 0;        // exit status, or 128 + the signal that ended it
  std::string output;  // standard output and standard error
};

inline bool contains(const Outcome& outcome, const std::string& text) {
  return outcome.output.find(text) != std::string::npos;
}

/// Runs `glia` with `arguments` to its end.
Outcome run_glia(const std::vector<std::string>& arguments);

/// Starts `glia`, polls `ready` and, once it holds, sends `signal` and waits for the end. `ready`
/// is asked every few milliseconds; the program may also end by itself.
Outcome signal_glia(const std::vector<std::string>& arguments, int signal,
                    const std::function<bool()>& ready);

/// Runs a line of shell with $GLIA as the program.
Outcome run_shell(const std::string& line);

}  // namespace glia
