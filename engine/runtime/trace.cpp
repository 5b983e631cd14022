#include "engine/runtime/trace.h"

#include <algorithm>
#include <string_view>

#include "engine/runtime/device.h"

namespace glia {

std::int64_t TraceEntry::launches() const {
  std::int64_t sum = 0;
  for (const auto& [name, count] : launched) sum += count;
  return sum;
}

LaunchCounts launched_by(const std::vector<TraceEntry>& entries) {
  LaunchCounts all;
  for (const TraceEntry& entry : entries)
    for (const auto& [name, count] : entry.launched) all[name] += count;
  return all;
}

bool Trace::before(Device& device, const KernelCall&) {
  device.synchronize();
  log_ = std::make_unique<LaunchLog>(device);
  start_ = std::chrono::steady_clock::now();
  return true;
}

void Trace::after(Device& device, const KernelCall& call) {
  const LaunchCounts launched = counts_of(log_->names());
  log_.reset();
  device.synchronize();
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
  const char* algorithm = device.algorithm(call);
  auto it = std::find_if(entries_.begin(), entries_.end(), [&](const TraceEntry& entry) {
    return entry.kernel == call.kernel().name && entry.algorithm == std::string_view(algorithm);
  });
  if (it == entries_.end())
    it = entries_.insert(entries_.end(), {.kernel = call.kernel().name, .algorithm = algorithm});
  it->calls += 1;
  it->seconds += spent.count();
  for (const auto& [name, count] : launched) it->launched[name] += count;
}

std::vector<TraceEntry> Trace::entries() const {
  std::vector<TraceEntry> sorted = entries_;
  std::sort(sorted.begin(), sorted.end(),
            [](const TraceEntry& a, const TraceEntry& b) { return a.seconds > b.seconds; });
  return sorted;
}

}  // namespace glia
