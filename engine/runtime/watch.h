// Watching what a device does: every kernel call passes by before it reaches the backend. A trace,
// a plan, the benchmark's recording and the check for NaN are watchers; a device without any calls
// its kernels directly.
#pragma once

#include <iterator>
#include <string>
#include <vector>

#include "kernels/api/operands.h"
#include "kernels/api/table.h"

namespace glia {

class Device;

/// The number of kernels that are no row of the list.
inline constexpr auto kNotListed = static_cast<KernelId>(std::size(kKernels));
/// KernelTable::augment_batch, which no network has.
inline constexpr KernelInfo kAugmentBatch{kNotListed, "augment_batch", "augment_batch", Phase::any,
                                          false};

/// A kernel call without its type.
class KernelCall {
 public:
  /// `args` must outlive this.
  template <class Args>
  explicit KernelCall(const Args& args) : KernelCall(kernel_of<Args>(), args) {}
  /// Of a kernel that is no row of the list.
  template <class Args>
  KernelCall(const KernelInfo& kernel, const Args& args)
      : kernel_(kernel),
        args_(&args),
        operands_([](const void* a) { return operands_of(*static_cast<const Args*>(a)); }) {
    if constexpr (requires { args.geometry.flops(); }) geometry_ = &args.geometry;
  }

  const KernelInfo& kernel() const { return kernel_; }
  /// What it reads and writes; operands that are not given are left out.
  std::vector<Operand> operands() const { return operands_(args_); }
  /// Of a convolution; null for other kernels.
  const ConvGeometry* convolution() const { return geometry_; }
  /// The arguments, which must be of this kernel.
  template <class Args>
  const Args& as() const {
    return *static_cast<const Args*>(args_);
  }

 private:
  const KernelInfo& kernel_;
  const void* args_;
  std::vector<Operand> (*operands_)(const void*);
  const ConvGeometry* geometry_ = nullptr;
};

class Watcher {
 public:
  virtual ~Watcher() = default;
  /// A pass of a step begins: forward, backward or update.
  virtual void begin(Phase) {}
  /// A parameter, or the gradient of one, lies here; its name is "encoder.0.conv1.weight".
  virtual void name(const ConstView&, const std::string& /*parameter*/) {}
  /// The memory of a tensor will be allocated next.
  virtual void announce(const Shape&, DType) {}
  /// A kernel is about to run. Says whether it shall compute; if not, it counts as done.
  virtual bool before(Device&, const KernelCall&) { return true; }
  /// It was queued (on a GPU) or has run.
  virtual void after(Device&, const KernelCall&) {}
};

}  // namespace glia
