// How much of the time whoever takes batches has waited for them: what tells that a loader needs
// more threads.
#pragma once

#include <chrono>

namespace glia {

/// Over windows of `kBatches` batches.
class WaitShare {
 public:
  using Duration = std::chrono::duration<double>;
  static constexpr int kBatches = 8;
  static constexpr double kTooMuch = 0.05;  // of a window's time

  /// Notes a batch: how long it was waited for, and how long after the one before it came. True at
  /// the end of a window in which more than `kTooMuch` was waiting.
  bool note(Duration waited, Duration since_last) {
    waited_ += waited;
    all_ += since_last;
    if (++batches_ < kBatches) return false;
    const bool too_much = waited_ > kTooMuch * all_;
    *this = {};
    return too_much;
  }

 private:
  Duration waited_{}, all_{};
  int batches_ = 0;
};

}  // namespace glia
