#include "engine/ops/ranks.h"

#include "engine/comm/communicator.h"
#include "engine/ops/common.h"
#include "engine/ops/ops.h"
#include "engine/runtime/ranks.h"

namespace glia::ops {

namespace {

Tensor gathered(Device& device, const Tensor& x, const Shape& of_all) {
  const Tensor all = Tensor::empty(device, of_all, x.dtype());
  gather_ranks(device, x.view(), all.view());
  return all;
}

}  // namespace

Tensor sum_over_ranks(Tape& tape, const Tensor& parts) {
  Device& device = tape.device();
  if (device.ranks() == nullptr) return fold(tape, parts);
  const Shape& mine = parts.shape();
  return fold(tape, gathered(device, parts, {device.ranks()->size() * mine[0], mine[1]}));
}

Tensor merge_over_ranks(Tape& tape, const Tensor& moments, std::int64_t rows) {
  const Tensor parts = gathered(tape.device(), moments,
                                {tape.device().ranks()->size(), 2, moments.shape().channels()});
  const Tensor merged = Tensor::empty(tape.device(), moments.shape(), moments.dtype());
  run<&KernelTable::merge_moments>(tape.device(),
                                   {.parts = parts, .moments = merged, .rows = rows});
  return merged;
}

}  // namespace glia::ops
