// Where a normalisation's backward pass puts the gradients of gamma and beta.
#pragma once

#include "engine/ops/common.h"

namespace glia::ops {

/// The kernels always write both gradients, because dx needs their sums: parameters that want none
/// get scratch memory.
struct NormParamTargets {
  NormParamTargets(const char* op, Tape& tape, const Tensor& gamma, const Tensor& beta) {
    check(gamma.wants_grad() == beta.wants_grad(),
          "{}: gamma and beta must both want a gradient, or neither", op);
    if (gamma.wants_grad()) {
      const GradTarget to_gamma = tape.grad_target(gamma), to_beta = tape.grad_target(beta);
      check(to_gamma.write == to_beta.write,
            "{}: gamma and beta must both have a gradient already, or neither", op);
      dgamma = to_gamma.view;
      dbeta = to_beta.view;
      write = to_gamma.write;
    } else {
      scratch_ = Tensor::empty(tape.device(), {2, gamma.numel()}, gamma.dtype());
      dgamma = scratch_.slice(0, gamma.shape());
      dbeta = scratch_.slice(gamma.numel(), gamma.shape());
    }
  }

  View dgamma, dbeta;
  Write write = Write::overwrite;

 private:
  Tensor scratch_;
};

}  // namespace glia::ops
