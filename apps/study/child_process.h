// A program run beside this one, its output in a file.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace glia {

/// How a process ended: by itself with a status, or by a signal (then `signal` is not 0).
struct ProcessEnd {
  int status = 0, signal = 0;

  /// "exit status 1", "ended by signal 9 (Killed)".
  std::string str() const;
};

/// In a process group of its own, so that a terminal's Ctrl-C reaches only whoever started it and
/// can pass it on once. It gets SIGTERM when the starting process dies.
class ChildProcess {
 public:
  /// Runs this very program with `arguments`; appends what it prints to `output`. Throws `Error`
  /// when it cannot be started.
  ChildProcess(const std::vector<std::string>& arguments, const std::filesystem::path& output);
  /// Terminates it if it still runs, and waits.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// How it ended, or nothing while it runs.
  std::optional<ProcessEnd> poll();
  void send(int signal);

 private:
  pid_t pid_ = -1;
  std::optional<ProcessEnd> end_;
};

}  // namespace glia
