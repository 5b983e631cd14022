// The names of the kernels that a GPU is given, in order.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/runtime/device.h"

namespace glia {

/// What the calling thread launches on the device while this lives, and "memset" for fills. One
/// lives at a time. Of a library's kernels and of a host's there are none.
class LaunchLog {
 public:
  explicit LaunchLog(Device& device) : allocator_(device.shared_allocator()) {
    allocator_->log_launches(&names_);
  }
  ~LaunchLog() { allocator_->log_launches(nullptr); }
  LaunchLog(const LaunchLog&) = delete;
  LaunchLog& operator=(const LaunchLog&) = delete;

  const std::vector<const char*>& names() const { return names_; }

 private:
  std::shared_ptr<Allocator> allocator_;
  std::vector<const char*> names_;
};

/// How often each name was launched.
using LaunchCounts = std::map<std::string, std::int64_t>;

inline LaunchCounts counts_of(const std::vector<const char*>& names) {
  LaunchCounts counts;
  for (const char* name : names) ++counts[name];
  return counts;
}

}  // namespace glia
