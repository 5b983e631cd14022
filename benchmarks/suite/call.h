// One kernel call of a training step as the step made it: which kernel, for which layer, on
// operands of which shape and pitch. It can be run again on any device, on memory of its own.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/runtime/device.h"
#include "kernels/api/operands.h"

namespace glia::bench {

/// Bytes by which an operand lies after a multiple of 64, which is what kernels choose their loads
/// by.
std::size_t misalignment(const Operand& operand);
/// Bytes that are moved when every element is touched once, or read and written once.
double traffic(const Operand& operand);

/// A layer's extents as its user sees them: input [N,H,W,C], output channels K, window R x S. K, R
/// and S are 0 where there is no window.
struct Extent {
  std::int64_t N = 1, H = 1, W = 1, C = 1;
  std::int64_t K = 0, R = 0, S = 0, stride = 1, pad = 0;  // stride and pad of rows
  std::int64_t stride_w = 1, pad_left = 0;                // and of columns

  /// "6x240x240x64", "6x240x240 3>64 3x3", "6x240x240 3>64 3x3/2x1", or "4096" for a vector
  std::string str() const;
};

struct Element {
  std::int64_t row = 0, channel = 0;
};

/// Where each operand of a call lies, in the order of `Call::operands`.
using Places = std::span<void* const>;

struct Call {
  std::string kernel, op;        // their names in kernels/api/list.h: "conv2d_forward", "conv2d"
  std::string layer;             // "encoder.0.conv1": the layer that it belongs to
  Phase phase = Phase::forward;  // its own, or where it has none that of the step
  std::vector<Operand> operands{};
  /// Its other arguments by their names in kernels/api: "stride_h", "epsilon"; for whoever has the
  /// call computed by another program.
  std::map<std::string, double> settings{};
  Extent extent{};
  double flops = 0;
  DType activations = DType::f32;  // of the step or case that it belongs to
  /// Runs the kernel on a device through its kernel table, on operands at these places.
  std::function<void(Device&, Places)> run{};
  /// How that device's backend computes it; see `Device::algorithm`.
  std::function<const char*(Device&)> algorithm{};
  /// One element of the operand `output`, in float64 from the formula; the operands lie in the
  /// host's memory as they were before the kernel ran. An `add` gives what is added.
  std::function<double(Places, std::size_t output, Element)> expected{};

  double bytes() const;
  /// bf16 where an operand is.
  DType type() const;
  /// Equal for calls that are the same work on other memory.
  std::string key() const;
};

}  // namespace glia::bench
