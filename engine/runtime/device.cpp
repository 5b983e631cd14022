#include "engine/runtime/device.h"

#include <sched.h>

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "engine/runtime/arena.h"
#include "kernels/cpu/table.h"

namespace glia {

Device::Device(std::string name, const KernelTable& kernels, std::shared_ptr<Allocator> allocator,
               int threads)
    : name_(std::move(name)),
      kernels_(kernels),
      allocator_(std::move(allocator)),
      context_(allocator_->on_host() && allocator_->keeps_scratch() ? nullptr : allocator_.get(),
               allocator_->keeps_scratch()) {
  context_.threads = threads;
  allocator_->describe(context_);
}

void Device::add_trace(const char* kernel, double seconds) {
  auto it = std::find_if(trace_.begin(), trace_.end(), [&](const TraceEntry& entry) {
    return std::strcmp(entry.kernel, kernel) == 0;
  });
  if (it == trace_.end()) it = trace_.insert(trace_.end(), TraceEntry{kernel, 0, 0});
  it->calls += 1;
  it->seconds += seconds;
}

std::vector<TraceEntry> Device::trace() const {
  std::vector<TraceEntry> sorted = trace_;
  std::sort(sorted.begin(), sorted.end(),
            [](const TraceEntry& a, const TraceEntry& b) { return a.seconds > b.seconds; });
  return sorted;
}

int available_cores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return 1;
  return std::max(1, CPU_COUNT(&mask));
}

int resolve_threads(int threads) {
  check(threads >= 0 && threads <= 1024, "--threads: found {}, expected 0 (every core) to 1024",
        threads);
  return threads == 0 ? available_cores() : threads;
}

const char* cpu_bf16_instructions() {
  return cpu::bf16_instruction_set();
}

std::unique_ptr<Device> make_cpu_device(int threads) {
  return std::make_unique<Device>("cpu", cpu::table(), std::make_shared<ArenaAllocator>(),
                                  resolve_threads(threads));
}

std::unique_ptr<Device> make_cpu_device(int threads, const KernelTable& kernels,
                                        std::unique_ptr<Allocator> memory) {
  return std::make_unique<Device>("cpu", kernels,
                                  std::make_shared<CachingAllocator>(std::move(memory)),
                                  resolve_threads(threads));
}

}  // namespace glia
