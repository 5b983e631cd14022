// What the two region losses (IoU and Dice) share around their kernels.
#pragma once

#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

/// Runs `forward` on logits and target, and `of_sums` on those of the whole batch where `whole`
/// gives them; records `backward`. Saved: logits, target and the sums.
template <auto forward, auto of_sums, auto backward>
RegionLoss region_loss(const char* op, Tape& tape, const Tensor& logits, const Tensor& target,
                       Region region, double smooth, const WholeBatch& whole) {
  check_image(op, logits);
  check_parameter(op, "logits", logits);
  check_same_shape(op, logits, target);
  check(smooth > 0, "{}: smooth is {}, expected more than 0 (an empty image has no ratio)", op,
        smooth);
  const std::int64_t regions = region == Region::batch ? 1 : logits.shape()[0];
  check(!whole || region == Region::batch, "{}: images have no part in a batch's sums", op);
  RegionLoss r{Tensor::empty(tape.device(), {1}, logits.dtype()),
               Tensor::empty(tape.device(), {regions, 2}, DType::f64)};
  run<forward>(tape.device(), {.logits = logits,
                               .target = target,
                               .loss = r.loss,
                               .sums = r.sums,
                               .region = region,
                               .smooth = smooth});
  if (whole) {
    r.sums = whole(tape, r.sums);
    run<of_sums>(tape.device(), {.sums = r.sums, .loss = r.loss, .smooth = smooth});
  }
  tape.record(op, {logits}, r.loss,
              [logits, target, sums = r.sums, region, smooth](Tape& t, const Tensor& dloss) {
                const GradTarget dz = t.grad_target(logits);
                run<backward>(t.device(), {.dloss = dloss,
                                           .logits = logits,
                                           .target = target,
                                           .sums = sums,
                                           .dlogits = dz.view,
                                           .region = region,
                                           .smooth = smooth,
                                           .write = dz.write});
              });
  return r;
}

}  // namespace glia::ops
