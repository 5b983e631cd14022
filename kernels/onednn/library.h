// What belongs to one device: oneDNN's engine and stream, the plans, and the copies in its layouts.
#pragma once

#include "kernels/api/context.h"
#include "kernels/onednn/blocked_copies.h"

namespace glia::onednn {

/// In which layout primitives get images: dense NHWC as the engine has them, or oneDNN's own.
enum class Layouts : std::uint8_t { nhwc, blocked };

class Library {
 public:
  explicit Library(Layouts layouts) : layouts_(layouts), copies_(engine_, stream_) {}
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const dnnl::engine& engine() const { return engine_; }
  dnnl::stream& stream() { return stream_; }
  Layouts layouts() const { return layouts_; }
  /// Empty with Layouts::nhwc.
  BlockedCopies& copies() { return copies_; }

  /// The plan of `key`, made by `build()` where there is none yet. The reference holds until the
  /// next call. Used by one thread at a time, like the workspace.
  template <class Build>
  const Plan& plan(const PlanKey& key, const Build& build) {
    if (const auto found = plans_.find(key); found != plans_.end()) return found->second;
    // Several times the plans of a large network with two batch sizes: evaluating images of ever
    // other sizes must not take ever more memory.
    constexpr std::size_t kMost = 1024;
    if (plans_.size() >= kMost) plans_.clear();
    return plans_.emplace(key, build()).first->second;
  }

 private:
  Layouts layouts_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  Plans plans_;
  BlockedCopies copies_;
};

/// That of the device whose kernels are called with `context`.
Library& library_of(const KernelContext& context);

/// Of every primitive: fp32 throughout, and scratch memory from us.
dnnl::primitive_attr attributes();

}  // namespace glia::onednn
