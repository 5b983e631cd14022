// What a planned step allocated, in which order, and for which kernels.
#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "engine/runtime/arena.h"
#include "engine/runtime/layer_names.h"
#include "engine/runtime/watch.h"

namespace glia {

/// One piece of memory that a step takes.
struct PlannedTensor {
  static constexpr std::size_t kKept = std::numeric_limits<std::size_t>::max();

  std::string layer;    // whose kernel makes it; empty before the step
  std::string made_by;  // that kernel, or what it is before the step
  std::string shape;    // "[6, 240, 240, 32] f32"; empty for scratch memory
  std::size_t bytes = 0;
  std::size_t first = 0, last = kKept;  // numbers of the kernels that find it alive

  bool scratch() const { return shape.empty(); }
  bool alive_at(std::size_t kernel) const { return first <= kernel && kernel <= last; }
};

class PlanLog : public Watcher {
 public:
  /// `cpu`: convolutions run, dry, to tell their scratch memory; that of other kernels is a few
  /// values a channel.
  explicit PlanLog(bool cpu) : cpu_(cpu) {}

  /// Names what is allocated from here on; "" leaves that to the kernels.
  void begin_stage(std::string name) { stage_ = std::move(name); }
  void name(const ConstView& view, const std::string& parameter) override {
    layers_[view.data] = layer_of(parameter);
  }
  void announce(const Shape& shape, DType dtype) override;
  /// Tensors made since the last call are this one's.
  bool before(Device& device, const KernelCall& call) override;

  std::size_t allocate(std::size_t bytes);
  void release(std::size_t offset);

  const ArenaLayout& layout() const { return layout_; }
  const std::vector<PlannedTensor>& tensors() const { return tensors_; }
  /// The kernel at which the most bytes were alive.
  std::size_t fullest_kernel() const { return fullest_; }

 private:
  bool cpu_;
  ArenaLayout layout_;
  std::vector<PlannedTensor> tensors_;
  std::vector<std::size_t> unnamed_;          // tensors whose kernel is still to come
  std::map<std::size_t, std::size_t> alive_;  // tensors by offset
  std::map<const void*, std::string> layers_;
  std::string stage_, shape_, layer_, kernel_;  // of what comes next, and of the last kernel
  std::size_t kernels_ = 0, fullest_ = 0;
};

}  // namespace glia
