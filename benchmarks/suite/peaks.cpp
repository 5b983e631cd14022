#include "benchmarks/suite/peaks.h"

#include <algorithm>

#include "benchmarks/suite/stopwatch.h"
#include "engine/runtime/run.h"
#include "engine/tensor/tensor.h"

namespace glia::bench {

namespace {

constexpr int kCopies = 8;

double copy_bandwidth(Device& device, std::size_t copy_bytes) {
  const Shape shape{static_cast<std::int64_t>(copy_bytes / sizeof(float))};
  const Tensor from = Tensor::zeros(device, shape), to = Tensor::zeros(device, shape);
  const auto stopwatch = make_stopwatch(device);
  double best = 0;
  for (int i = 0; i < kCopies; ++i) {
    stopwatch->start();
    run<&KernelTable::scale>(device, {.x = from, .y = to});
    best = std::max(best, 2 * static_cast<double>(copy_bytes) / stopwatch->stop());
  }
  return best;
}

}  // namespace

Peaks measure_peaks(Device& device, std::size_t copy_bytes) {
  if (!device.allocator().on_host()) return {0, copy_bandwidth(device, copy_bytes)};
  const int threads = device.context().threads;
  return {measure_cpu_flops(threads), measure_cpu_bandwidth(threads, copy_bytes)};
}

Roof roof(const Peaks& peaks, double flops, double bytes) {
  if (!peaks.known()) return {};
  const double compute = flops / peaks.flops, memory = bytes / peaks.bytes;
  return {std::max(compute, memory), compute > memory};
}

}  // namespace glia::bench
