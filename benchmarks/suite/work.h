// A recorded call's operands at other places, and how much arithmetic a call is.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "benchmarks/suite/call.h"
#include "kernels/api/table.h"

namespace glia::bench {

/// The same arguments with the operands at other places.
template <class Args>
Args at_places(Args args, Places places) {
  std::size_t next = 0;
  visit(args, [&](const char*, Role, auto& view, Content = Content::spread) {
    if (view) view.data = places[next++];
  });
  return args;
}

/// Additions, multiplications and comparisons of the formula for an element of the largest operand.
/// All of these are bound by memory, so that one more or less decides nothing.
template <class Args>
inline constexpr double kOperations = 1;
template <>
inline constexpr double kOperations<BatchNormForwardTrain> = 5;  // two sums of x, x^2; scale, shift
template <>
inline constexpr double kOperations<BatchNormBackwardTrain> = 10;  // xhat twice, two sums, dx
template <>
inline constexpr double kOperations<BatchNormReluBackwardTrain> = 16;  // and the mask, twice
template <>
inline constexpr double kOperations<BatchNormReluBackwardSums> = 8;
template <>
inline constexpr double kOperations<BatchNormReluBackwardApply> = 8;
template <>
inline constexpr double kOperations<Materialise> = 3;
template <>
inline constexpr double kOperations<IouLossForward> = 8;  // the sigmoid counted as 4; three sums
template <>
inline constexpr double kOperations<IouLossBackward> = 8;
template <>
inline constexpr double kOperations<AdamStep> = 12;

/// What a call is given besides its operands, by the names of kernels/api.
template <class Args>
std::map<std::string, double> settings_of(const Args& args) {
  std::map<std::string, double> found;
#define GLIA_SETTING(name) \
  if constexpr (requires { args.name; }) found[#name] = static_cast<double>(args.name)
#define GLIA_GEOMETRY_SETTING(name)               \
  if constexpr (requires { args.geometry.name; }) \
  found[#name] = static_cast<double>(args.geometry.name)
  GLIA_GEOMETRY_SETTING(stride_h);
  GLIA_GEOMETRY_SETTING(stride_w);
  GLIA_GEOMETRY_SETTING(pad_top);
  GLIA_GEOMETRY_SETTING(pad_left);
  GLIA_GEOMETRY_SETTING(window);
  GLIA_GEOMETRY_SETTING(stride);
  GLIA_SETTING(momentum);
  GLIA_SETTING(epsilon);
  GLIA_SETTING(groups);
  GLIA_SETTING(p);
  GLIA_SETTING(t);
  GLIA_SETTING(alpha);
  GLIA_SETTING(factor);
  GLIA_SETTING(region);
  GLIA_SETTING(smooth);
  GLIA_SETTING(step);
  GLIA_SETTING(lr);
  GLIA_SETTING(beta1);
  GLIA_SETTING(beta2);
  GLIA_SETTING(weight_decay);
  GLIA_SETTING(decoupled);
  GLIA_SETTING(nesterov);
#undef GLIA_SETTING
#undef GLIA_GEOMETRY_SETTING
  return found;
}

inline const Operand& largest(const std::vector<Operand>& operands) {
  const Operand* found = &operands.front();
  for (const Operand& operand : operands)
    if (operand.view.shape.numel() > found->view.shape.numel()) found = &operand;
  return *found;
}

template <class Args>
double flops_of(const Args& args) {
  if constexpr (requires { args.geometry.flops(); })
    return args.geometry.flops();
  else
    return kOperations<Args> * static_cast<double>(largest(operands_of(args)).view.shape.numel());
}

template <class Args>
Extent extent_of(const Args& args) {
  if constexpr (requires { args.geometry.flops(); }) {
    const ConvGeometry& g = args.geometry;
    Extent extent{g.N, g.H, g.W, g.C, g.K, g.R, g.S, g.stride_h, g.pad_top, g.stride_w, g.pad_left};
    if (kernel_of<Args>().op == std::string_view("conv_transpose2d")) {
      extent.H = g.P;
      extent.W = g.Q;
      std::swap(extent.C, extent.K);
    }
    return extent;
  } else {
    const Shape shape = largest(operands_of(args)).view.shape;
    if (shape.rank() != 4) return {.C = shape.numel()};
    return {.N = shape[0], .H = shape[1], .W = shape[2], .C = shape[3]};
  }
}

}  // namespace glia::bench
