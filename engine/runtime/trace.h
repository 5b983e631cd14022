// The time that each kernel takes and what it launches, for --trace.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/runtime/launch_log.h"
#include "engine/runtime/watch.h"

namespace glia {

/// Time spent in one kernel, summed over its calls.
struct TraceEntry {
  const char* kernel = "";
  const char* algorithm = "";  // of a convolution, "winograd" for instance; "" elsewhere
  std::int64_t calls = 0;
  double seconds = 0;
  /// By all calls, on a GPU.
  LaunchCounts launched = {};

  std::int64_t launches() const;
};

/// What all entries launched.
LaunchCounts launched_by(const std::vector<TraceEntry>& entries);

/// Waits for the device around each kernel.
class Trace : public Watcher {
 public:
  bool before(Device& device, const KernelCall& call) override;
  void after(Device& device, const KernelCall& call) override;
  /// Longest first.
  std::vector<TraceEntry> entries() const;

 private:
  std::chrono::steady_clock::time_point start_;
  std::unique_ptr<LaunchLog> log_;  // of the call that runs
  std::vector<TraceEntry> entries_;
};

}  // namespace glia
