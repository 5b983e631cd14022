// Time that a device spends on what was queued: by its own clock where it has one, else by the
// host's.
#pragma once

#include <chrono>
#include <memory>

#include "engine/runtime/device.h"

namespace glia::bench {

class Stopwatch {
 public:
  /// It must not outlive the device.
  explicit Stopwatch(Device& device);

  /// From here on, when everything that was queued before has finished. What the host takes to
  /// queue the first of what follows counts.
  void start();
  /// The same without a wait: the host queues on while the device still works, so that nothing
  /// stands between what was queued before and what is timed.
  void start_in_queue();
  /// Seconds until everything that was queued since has finished.
  double stop();

 private:
  Device& device_;
  std::unique_ptr<Timer> timer_;  // null: the host's clock
  std::chrono::steady_clock::time_point start_;
};

std::unique_ptr<Stopwatch> make_stopwatch(Device& device);

}  // namespace glia::bench
