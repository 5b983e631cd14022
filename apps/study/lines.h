// Lines that another process writes, as they come.
#pragma once

#include <chrono>
#include <string>

namespace glia {

class Lines {
 public:
  /// Reads from that file, which stays the caller's.
  explicit Lines(int file) : file_(file) {}

  enum class Got { line, nothing, end };
  /// The next one without its line feed; nothing when none came in that time.
  Got next(std::string& line, std::chrono::milliseconds patience);

 private:
  int file_;
  std::string unread_;
};

}  // namespace glia
