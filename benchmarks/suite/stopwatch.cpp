#include "benchmarks/suite/stopwatch.h"

namespace glia::bench {

Stopwatch::Stopwatch(Device& device) : device_(device), timer_(device.allocator().make_timer()) {}

void Stopwatch::start() {
  device_.synchronize();
  start_in_queue();
}

void Stopwatch::start_in_queue() {
  if (timer_) return timer_->start();
  device_.synchronize();
  start_ = std::chrono::steady_clock::now();
}

double Stopwatch::stop() {
  if (timer_) return timer_->stop();
  device_.synchronize();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

std::unique_ptr<Stopwatch> make_stopwatch(Device& device) {
  return std::make_unique<Stopwatch>(device);
}

}  // namespace glia::bench
