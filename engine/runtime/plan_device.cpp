#include "engine/runtime/plan_device.h"

#include <cstring>

#include "engine/runtime/precisions.h"
#include "kernels/cpu/table.h"

namespace glia {

namespace {

/// Of backends that read no maps; none of its kernels is ever called.
constexpr KernelTable kNoKernelsInBf16 = {.name = "plan",
                                          .activations = DType::bf16,
                                          .maps = Maps::written,
                                          .maps_results = true,
                                          .gives_moments = true};
constexpr KernelTable kNoKernels = {.name = "plan",
                                    .in_bf16 = &kNoKernelsInBf16,
                                    .maps = Maps::written,
                                    .maps_results = true,
                                    .gives_moments = true,
                                    .tf32 = true};
/// And that make none.
constexpr KernelTable kNoMapsInBf16 = {.name = "plan", .activations = DType::bf16};
constexpr KernelTable kNoMaps = {.name = "plan", .in_bf16 = &kNoMapsInBf16, .tf32 = true};

const KernelTable& table_of(const PlanTarget& target) {
  if (target.cpu) return cpu::table();
  const bool bf16 = target.precision == ConvPrecision::bf16;
  if (target.maps == Maps::none) return bf16 ? kNoMapsInBf16 : kNoMaps;
  return bf16 ? kNoKernelsInBf16 : kNoKernels;
}

/// The places of the log's layout as addresses.
class PlanMemory : public NoMemory {
 public:
  PlanMemory(std::shared_ptr<PlanLog> log, bool keeps_scratch)
      : log_(std::move(log)), keeps_scratch_(keeps_scratch) {}
  void* allocate(std::size_t bytes) override {
    return reinterpret_cast<void*>(kFirst + log_->allocate(bytes));
  }
  void release(void* data, std::size_t) override {
    log_->release(reinterpret_cast<std::uintptr_t>(data) - kFirst);
  }
  bool keeps_scratch() const override { return keeps_scratch_; }

 private:
  static constexpr std::uintptr_t kFirst = 4096;  // not null
  std::shared_ptr<PlanLog> log_;
  bool keeps_scratch_;
};

}  // namespace

void* NoMemory::allocate(std::size_t bytes) {
  void* address = reinterpret_cast<void*>(next_);
  next_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  return address;
}

void NoMemory::copy_out(void* to_host, const void*, std::size_t bytes) {
  std::memset(to_host, 0, bytes);
}

PlanTarget PlanTarget::of(Device& device) {
  return {.cpu = device.kernels().maps == Maps::read,
          .threads = device.context().threads,
          .conv = device.context().conv,
          .memory = device.memory_mode(),
          .precision = device.context().precision,
          .maps = device.kernels().maps};
}

PlanTarget PlanTarget::gpu(std::optional<ConvPrecision> precision) {
  return {.cpu = false, .precision = take_precision(kNoKernels, precision, "a GPU")};
}

PlanDevice::PlanDevice(const PlanTarget& target)
    : PlanDevice(target, std::make_shared<PlanLog>(target.cpu)) {}

// With the CPU's kernels, those that are let through tell how much scratch memory they take.
PlanDevice::PlanDevice(const PlanTarget& target, std::shared_ptr<PlanLog> log)
    : Device("plan", table_of(target), std::make_shared<PlanMemory>(log, !target.cpu),
             target.threads),
      target_(target),
      log_(std::move(log)) {
  set_memory_mode(target.memory);
  context().conv = target.conv;
  context().precision = target.precision;
  context().dry_run = target.cpu;
  watch(log_);
}

std::size_t PlanDevice::peak_bytes() const {
  const ArenaLayout& layout = log_->layout();
  return target_.cpu ? layout.extent() : layout.peak_live_bytes();
}

}  // namespace glia
