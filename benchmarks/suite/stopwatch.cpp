#include "benchmarks/suite/stopwatch.h"

#include <chrono>

namespace glia::bench {

namespace {

/// The host's clock. On a GPU it counts the way of a launch to the device too, which repeats within
/// a sample make small.
class HostStopwatch : public Stopwatch {
 public:
  explicit HostStopwatch(Device& device) : device_(device) {}

  void start() override {
    device_.synchronize();
    start_ = std::chrono::steady_clock::now();
  }
  double stop() override {
    device_.synchronize();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  Device& device_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace

std::unique_ptr<Stopwatch> make_stopwatch(Device& device) {
  return std::make_unique<HostStopwatch>(device);
}

}  // namespace glia::bench
