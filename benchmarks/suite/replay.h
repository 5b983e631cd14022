// A recorded call on a device of today: memory for its operands, random values in them, the kernel,
// and whether its results are right.
#pragma once

#include <cstddef>
#include <vector>

#include "benchmarks/suite/call.h"
#include "engine/tensor/tensor.h"

namespace glia::bench {

/// Random values for the operands of a call in the host's memory, the same for every device.
/// Random, because zeros run faster on some machines.
class Contents {
 public:
  Contents(const Call& call, std::uint64_t seed);

  const std::vector<std::byte>& operator[](std::size_t operand) const { return bytes_[operand]; }
  /// Where the operands lie, for `Call::expected`.
  Places places() const { return places_; }

 private:
  std::vector<std::vector<std::byte>> bytes_;
  std::vector<void*> places_;
};

/// The call's operands in the memory of one device, with the pitches and alignments of the step.
/// Operands that shared an address share one here.
class Replay {
 public:
  /// The call, the contents and the device must outlive it.
  Replay(Device& device, const Call& call, const Contents& contents);

  /// Queues the kernel once.
  void run() { call_.run(device_, places_); }
  /// Puts every operand back to its first contents.
  void restore();
  std::size_t operands() const { return places_.size(); }
  /// The bytes of operand `index` as they are now.
  std::vector<std::byte> read(std::size_t index);

 private:
  Device& device_;
  const Call& call_;
  const Contents& contents_;
  std::vector<Tensor> blocks_;
  std::vector<void*> places_;
};

/// How far a sample of a kernel's results lies from the formula in float64, over all its results.
struct Accuracy {
  double max_error = 0;       // largest |result - expected|
  double relative_error = 0;  // the same, relative to the largest |expected| of that result
  bool deterministic = true;  // two runs gave the same bits
};

/// What a call left in its operands, in their order, each laid out as the operand is; empty where
/// nothing is known of it.
using Results = std::vector<std::vector<std::byte>>;
/// The errors of results that were computed from these contents.
Accuracy accuracy_of(const Results& results, const Call& call, const Contents& contents);

/// Runs the call twice from the same contents and compares.
Accuracy examine(Replay& replay, const Call& call, const Contents& contents);

}  // namespace glia::bench
