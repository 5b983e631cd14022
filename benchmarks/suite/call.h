// One kernel call of a training step as the step made it: which kernel, for which layer, on
// operands of which shape and pitch. It can be run again on any device, on memory of its own.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/runtime/device.h"
#include "kernels/api/view.h"

namespace glia::bench {

/// What a kernel does with an operand: reads it, overwrites it, changes it by its formula (an
/// optimizer's moments), or adds to it (a gradient in accumulate mode).
enum class Role : std::uint8_t { in, out, update, add };

/// Which values make sense in an operand.
enum class Content : std::uint8_t {
  spread,     // mean 0, variance 1
  positive,   // in [0.5, 1.5): variances, deviations, second moments
  binary,     // one in ten is 1: masks
  place,      // 0 to 3: where in a 2x2 window the maximum was
  sums,       // in [1000, 2000): intersections and unions
  unchecked,  // a result whose elements are sums over all others, which `expected` does not know
};

struct Operand {
  const char* name = "";
  Role role = Role::in;
  Content content = Content::spread;
  /// `data` is the operand's address in the recorded step. It tells operands apart; nothing lies
  /// there.
  ConstView view{};

  /// Elements from the first to the last, with what lies between the rows of a channel slice.
  std::int64_t span() const;
  /// Bytes by which it lies behind a multiple of 64, which is what kernels choose their loads by.
  std::size_t misalignment() const;
  /// Bytes that are moved when every element is touched once, or read and written once.
  double traffic() const;
};

/// A layer's extents as its user sees them: input [N,H,W,C], output channels K, window R x S. K, R
/// and S are 0 where there is no window.
struct Extent {
  std::int64_t N = 1, H = 1, W = 1, C = 1;
  std::int64_t K = 0, R = 0, S = 0, stride = 1, pad = 0;

  /// "6x240x240x64", "6x240x240 3>64 3x3", or "4096" for a vector
  std::string str() const;
};

struct Element {
  std::int64_t row = 0, channel = 0;
};

/// Where each operand of a call lies, in the order of `Call::operands`.
using Places = std::span<void* const>;

enum class Part : std::uint8_t { forward, backward, update };

struct Call {
  std::string kernel;  // its name in kernels/api: "conv2d_forward"
  std::string layer;   // "encoder.0.conv1": the layer that it belongs to
  Part part = Part::forward;
  std::vector<Operand> operands{};
  Extent extent{};
  double flops = 0;
  /// Runs the kernel on a device through its kernel table, on operands at these places.
  std::function<void(Device&, Places)> run{};
  /// One element of the operand `output`, in float64 from the formula; the operands lie in the
  /// host's memory as they were before the kernel ran. An `add` gives what is added.
  std::function<double(Places, std::size_t output, Element)> expected{};

  double bytes() const;
  /// "conv2d"
  std::string op() const;
  /// forward, backward, dgrad, wgrad or update
  std::string phase() const;
  /// Equal for calls that are the same work on other memory.
  std::string key() const;
};

}  // namespace glia::bench
