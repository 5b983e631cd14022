// A device that computes nothing and keeps no memory, but counts what a real one would hold:
// running a training step on it tells how much that step needs, and which tensors those are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/runtime/device.h"
#include "engine/runtime/plan_log.h"

namespace glia {

/// Hands out addresses that nobody looks at, none of them twice. They read as zeros.
class NoMemory : public Allocator {
 public:
  void* allocate(std::size_t bytes) override;
  void release(void*, std::size_t) override {}
  void copy_in(void*, const void*, std::size_t) override {}
  void copy_out(void* to_host, const void*, std::size_t bytes) override;
  void fill(void*, unsigned char, std::size_t) override {}
  bool on_host() const override { return false; }

 private:
  static constexpr std::uintptr_t kAlignment = 256;
  std::uintptr_t next_ = kAlignment;
};

/// The device that a plan is for.
struct PlanTarget {
  /// The CPU's own kernels, whose scratch memory is then counted too. Otherwise a backend that
  /// reads no maps, and what its kernels take besides is not known.
  bool cpu = true;
  int threads = 1;
  ConvMethod conv = ConvMethod::automatic;
  MemoryMode memory = MemoryMode::automatic;
  ConvPrecision precision = ConvPrecision::fp32;
  Maps maps =
      Maps::written;  // of a backend that is not the CPU's own; our GPU kernels' unless said

  static PlanTarget of(Device& device);
  /// One that need not be there. Throws `Error` for a precision that GPUs do not have.
  static PlanTarget gpu(std::optional<ConvPrecision> precision);
};

/// Its tensors read as zeros.
class PlanDevice : public Device {
 public:
  explicit PlanDevice(const PlanTarget& target);

  PlanLog& log() { return *log_; }
  /// What the memory must hold: of the CPU the whole arena, with scratch memory and gaps; otherwise
  /// the tensors that are alive at the fullest moment.
  std::size_t peak_bytes() const;

 private:
  PlanDevice(const PlanTarget& target, std::shared_ptr<PlanLog> log);

  PlanTarget target_;
  std::shared_ptr<PlanLog> log_;
};

}  // namespace glia
