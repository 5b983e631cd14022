// A program that stays and answers: a line of JSON for each line of JSON.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/study/child_process.h"
#include "apps/study/lines.h"

namespace glia {

/// The program's standard input and output are one socket; what it prints besides goes to its
/// messages.
class Conversation {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  /// Errors call the program `name`. Its messages are appended to the file `messages`; without one
  /// they go to standard error.
  Conversation(std::vector<std::string> command, std::string name,
               std::filesystem::path messages = {});
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  /// Starts the program, where it does not run. Throws `Error` when it cannot be started, ends,
  /// answers no JSON, or does not answer in time, and when this program is interrupted. It is ended
  /// then, and started anew by the next question.
  nlohmann::json ask(const nlohmann::json& question, Deadline deadline);
  bool running() const { return child_ != nullptr; }
  /// Ends it: the end of its input, then signals.
  void stop();

 private:
  void start();
  std::string read_line(Deadline deadline);
  [[noreturn]] void fail_at_end();

  std::vector<std::string> command_;
  std::string name_;
  std::filesystem::path messages_;
  int socket_ = -1;
  std::optional<Lines> lines_;  // of socket_
  std::unique_ptr<ChildProcess> child_;
};

/// An answer of a program that is timed in turn with this one: between pauses, in which threads of
/// OpenMP fall asleep, which after their work wait actively for more. Throws `Error` too for what
/// the answer calls its "error", and after ten minutes.
nlohmann::json ask_in_turn(Conversation& program, const nlohmann::json& question);

}  // namespace glia
