#include "engine/tape/tape.h"

#include <algorithm>

#include "engine/runtime/run.h"
#include "engine/tensor/body.h"

namespace glia {

void Tape::record(const char* op, std::initializer_list<Tensor> inputs, const Tensor& output,
                  Backward backward) {
  if (mode_ == Mode::off) return;
  const bool wanted =
      std::any_of(inputs.begin(), inputs.end(), [](const Tensor& x) { return x.wants_grad(); });
  if (!wanted) return;
  output.set_wants_grad(true);
  nodes_.push_back({op, output, std::move(backward)});
}

GradTarget Tape::grad_target(const Tensor& x) {
  Tensor::Body& body = *x.body_;
  if (!body.grad.defined()) body.grad = Tensor::empty(x.device(), x.shape(), x.dtype());
  const Write write = body.grad_written ? Write::accumulate : Write::overwrite;
  body.grad_written = true;
  return {body.grad.view(), write};
}

void Tape::pass_grad(const Tensor& x, const Tensor& grad) {
  Tensor::Body& body = *x.body_;
  if (!body.grad.defined()) {
    body.grad = grad;
    body.grad_written = true;
    return;
  }
  const GradTarget target = grad_target(x);
  run<&KernelTable::scale>(device_,
                           {.x = grad, .y = target.view, .alpha = 1, .write = target.write});
}

void Tape::backward(const Tensor& output, const Tensor& dy) {
  check(output.wants_grad(), "backward: the result depends on no tensor that wants a gradient");
  check(dy.defined() ? dy.shape() == output.shape() : output.numel() == 1,
        "backward: found a result of shape {}, expected one element or a gradient of its shape",
        output.shape().str());
  device_.begin(Phase::backward);
  const GradTarget seed = grad_target(output);
  if (dy.defined())
    run<&KernelTable::scale>(device_, {.x = dy, .y = seed.view});
  else
    run<&KernelTable::fill>(device_, {.y = seed.view, .alpha = 1});
  while (!nodes_.empty()) {
    Node node = std::move(nodes_.back());
    nodes_.pop_back();
    Tensor::Body& body = *node.output.body_;
    if (!body.grad_written) continue;  // a result that the loss does not depend on
    const Tensor gradient = std::move(body.grad);
    body.grad = Tensor();
    body.grad_written = false;
    node.backward(*this, gradient);
  }
}

}  // namespace glia
