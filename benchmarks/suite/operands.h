// The operands of every kernel that a training step of the U-Net calls, and how much arithmetic it
// is. A kernel that the U-Net gets anew needs a `visit` here, an entry in record.cpp and a
// `reference` in reference.h.
#pragma once

#include <string_view>

#include "benchmarks/suite/call.h"
#include "kernels/api/table.h"

namespace glia::bench {

inline Role gradient(Write write) {
  return write == Write::overwrite ? Role::out : Role::add;
}

// `v(name, role, view, content)` for each operand; the content may be left out.

template <class V>
void visit(Conv2dForward& a, const V& v) {
  v("x", Role::in, a.x);
  v("x_map", Role::in, a.x_map);
  v("w", Role::in, a.w);
  v("b", Role::in, a.b);
  v("y", Role::out, a.y);
  v("moments", Role::out, a.moments, Content::unchecked);
}

template <class V>
void visit(Conv2dDgrad& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("w", Role::in, a.w);
  v("dx", gradient(a.write), a.dx);
}

template <class V>
void visit(Conv2dWgrad& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("x", Role::in, a.x);
  v("x_map", Role::in, a.x_map);
  v("dw", gradient(a.write), a.dw);
  v("db", gradient(a.write_bias), a.db);
}

template <class V>
void visit(ConvTranspose2dForward& a, const V& v) {
  v("x", Role::in, a.x);
  v("x_map", Role::in, a.x_map);
  v("w", Role::in, a.w);
  v("b", Role::in, a.b);
  v("y", Role::out, a.y);
}

template <class V>
void visit(ConvTranspose2dDgrad& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("w", Role::in, a.w);
  v("dx", gradient(a.write), a.dx);
}

template <class V>
void visit(ConvTranspose2dWgrad& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("x", Role::in, a.x);
  v("x_map", Role::in, a.x_map);
  v("dw", gradient(a.write), a.dw);
  v("db", gradient(a.write_bias), a.db);
}

template <class V>
void visit(BatchNormForwardTrain& a, const V& v) {
  v("x", Role::in, a.x);
  v("gamma", Role::in, a.gamma);
  v("beta", Role::in, a.beta);
  v("y", Role::out, a.y);
  v("mean", Role::out, a.mean);
  v("invstd", Role::out, a.invstd);
  v("running_mean", Role::update, a.running_mean);
  v("running_var", Role::update, a.running_var, Content::positive);
}

template <class V>
void visit(BatchNormBackwardTrain& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("x", Role::in, a.x);
  v("gamma", Role::in, a.gamma);
  v("mean", Role::in, a.mean);
  v("invstd", Role::in, a.invstd, Content::positive);
  v("dx", gradient(a.write), a.dx);
  v("dgamma", gradient(a.write_params), a.dgamma);
  v("dbeta", gradient(a.write_params), a.dbeta);
}

template <class V>
void visit(BatchNormReluMapTrain& a, const V& v) {
  v("moments", Role::in, a.moments, Content::positive);
  v("gamma", Role::in, a.gamma);
  v("beta", Role::in, a.beta);
  v("map", Role::out, a.map);
  v("mean", Role::out, a.mean);
  v("invstd", Role::out, a.invstd);
  v("running_mean", Role::update, a.running_mean);
  v("running_var", Role::update, a.running_var, Content::positive);
}

template <class V>
void visit(BatchNormReluBackwardTrain& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("x", Role::in, a.x);
  v("map", Role::in, a.map);
  v("gamma", Role::in, a.gamma);
  v("mean", Role::in, a.mean);
  v("invstd", Role::in, a.invstd, Content::positive);
  v("dx", Role::out, a.dx);
  v("dgamma", gradient(a.write_params), a.dgamma);
  v("dbeta", gradient(a.write_params), a.dbeta);
}

template <class V>
void visit(Materialise& a, const V& v) {
  v("x", Role::in, a.x);
  v("map", Role::in, a.map);
  v("y", Role::out, a.y);
  v("pooled", Role::out, a.pooled);
  v("index", Role::out, a.index, Content::place);
}

template <class V>
void visit(ReluForward& a, const V& v) {
  v("x", Role::in, a.x);
  v("y", Role::out, a.y);
}

template <class V>
void visit(ReluBackward& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("y", Role::in, a.y);
  v("dx", gradient(a.write), a.dx);
}

template <class V>
void visit(MaxPool2dForward& a, const V& v) {
  v("x", Role::in, a.x);
  v("x_map", Role::in, a.x_map);
  v("y", Role::out, a.y);
  v("index", Role::out, a.index, Content::place);
}

template <class V>
void visit(MaxPool2dBackward& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("index", Role::in, a.index, Content::place);
  v("dx", gradient(a.write), a.dx);
}

template <class V>
void visit(UpsampleNearest2dForward& a, const V& v) {
  v("x", Role::in, a.x);
  v("y", Role::out, a.y);
}

template <class V>
void visit(UpsampleNearest2dBackward& a, const V& v) {
  v("dy", Role::in, a.dy);
  v("dx", gradient(a.write), a.dx);
}

template <class V>
void visit(IouLossForward& a, const V& v) {
  v("logits", Role::in, a.logits);
  v("target", Role::in, a.target, Content::binary);
  v("loss", Role::out, a.loss);
  v("sums", Role::out, a.sums);
}

template <class V>
void visit(IouLossBackward& a, const V& v) {
  v("dloss", Role::in, a.dloss);
  v("logits", Role::in, a.logits);
  v("target", Role::in, a.target, Content::binary);
  v("sums", Role::in, a.sums, Content::sums);
  v("dlogits", gradient(a.write), a.dlogits);
}

template <class V>
void visit(Fill& a, const V& v) {
  v("scalar", Role::in, a.scalar);
  v("y", gradient(a.write), a.y);
}

template <class V>
void visit(Scale& a, const V& v) {
  v("x", Role::in, a.x);
  v("y", gradient(a.write), a.y);
}

template <class V>
void visit(AdamStep& a, const V& v) {
  v("w", Role::update, a.w);
  v("m", Role::update, a.m);
  v("v", Role::update, a.v, Content::positive);
  v("g", Role::in, a.g);
  v("progress", Role::in, a.progress, Content::positive);
}

/// The operands that are given.
template <class Args>
std::vector<Operand> operands_of(Args args) {
  std::vector<Operand> list;
  visit(args,
        [&](const char* name, Role role, const auto& view, Content content = Content::spread) {
          if (view) list.push_back({name, role, content, view});
        });
  return list;
}

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
inline constexpr double kOperations<Materialise> = 3;
template <>
inline constexpr double kOperations<IouLossForward> = 8;  // the sigmoid counted as 4; three sums
template <>
inline constexpr double kOperations<IouLossBackward> = 8;
template <>
inline constexpr double kOperations<AdamStep> = 12;

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
    if (std::string_view(Args::kName).starts_with("conv_transpose2d"))
      return {g.N, g.P, g.Q, g.K, g.C, g.R, g.S, g.stride_h, g.pad_top};
    return {g.N, g.H, g.W, g.C, g.K, g.R, g.S, g.stride_h, g.pad_top};
  } else {
    const Shape shape = largest(operands_of(args)).view.shape;
    if (shape.rank() != 4) return {.C = shape.numel()};
    return {.N = shape[0], .H = shape[1], .W = shape[2], .C = shape[3]};
  }
}

}  // namespace glia::bench
