// A program run beside this one.
#pragma once

#include <sys/types.h>

#include <chrono>
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

/// This very program, as the first word of a command.
inline constexpr const char* kThisProgram = "/proc/self/exe";
/// The exit status of a process whose program could not be started.
inline constexpr int kNoSuchProgram = 127;

/// Open files that a child gets; it has /dev/null to read where there is no `input`.
struct ChildStreams {
  int input = -1, output = -1, errors = -1;
};

/// In a process group of its own, so that a terminal's Ctrl-C reaches only whoever started it and
/// can pass it on once. It gets SIGTERM when the starting process dies.
class ChildProcess {
 public:
  /// Runs a program, `command`'s first word, which is looked for on the PATH, with the other words
  /// as its arguments. Throws `Error` when no process can be started.
  ChildProcess(const std::vector<std::string>& command, const ChildStreams& streams);
  /// Appends all that it prints to a file.
  ChildProcess(const std::vector<std::string>& command, const std::filesystem::path& output);
  /// Terminates it if it still runs, and waits.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// How it ended, or nothing while it runs.
  std::optional<ProcessEnd> poll();
  /// To it and everything that it has started.
  void send(int signal);

 private:
  void start(const std::vector<std::string>& command, const ChildStreams& streams);

  pid_t pid_ = -1;
  std::optional<ProcessEnd> end_;
};

/// What a program that is stopped has to end by itself.
inline constexpr std::chrono::duration<double> kMercy{2};
/// Ends a program and all that it started, by SIGKILL if SIGTERM does not within `mercy`.
void end_program(ChildProcess& child, std::chrono::duration<double> mercy = kMercy);

}  // namespace glia
