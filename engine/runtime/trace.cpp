#include "engine/runtime/trace.h"

#include <algorithm>
#include <string_view>

#include "engine/runtime/device.h"

namespace glia {

bool Trace::before(Device& device, const KernelCall&) {
  device.synchronize();
  start_ = std::chrono::steady_clock::now();
  return true;
}

void Trace::after(Device& device, const KernelCall& call) {
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
}

std::vector<TraceEntry> Trace::entries() const {
  std::vector<TraceEntry> sorted = entries_;
  std::sort(sorted.begin(), sorted.end(),
            [](const TraceEntry& a, const TraceEntry& b) { return a.seconds > b.seconds; });
  return sorted;
}

}  // namespace glia
