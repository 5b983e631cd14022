// A program that stays and answers: a line of JSON for each line of JSON. What it prints besides
// goes to its messages.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "apps/study/lines.h"
#include "benchmarks/gpu_kit/program.h"

namespace glia::kit {

class Conversation {
 public:
  /// Starts the program; its messages are appended to `messages`.
  Conversation(const Command& command, const std::filesystem::path& messages);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  /// Throws `Error` when the program has ended, answers no JSON, or does not answer in time. It is
  /// ended then, and of no use before `restart`.
  nlohmann::json ask(const nlohmann::json& question, Deadline deadline);
  bool running() const { return child_ != nullptr; }
  /// Ends the program, if it runs, and starts it again.
  void restart();

 private:
  void start();
  void stop();
  std::string read_line(Deadline deadline);

  Command command_;
  std::filesystem::path messages_;
  std::string name_;
  int to_ = -1, from_ = -1;
  std::optional<Lines> lines_;  // of from_
  std::unique_ptr<ChildProcess> child_;
};

}  // namespace glia::kit
