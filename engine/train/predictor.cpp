#include "engine/train/predictor.h"

#include "engine/runtime/run.h"
#include "engine/train/inference.h"

namespace glia {

Predictor::Predictor(Device& device, nn::Model& model, Mode mode)
    : device_(device),
      model_(model),
      work_(
          device, [this] { run(); }, mode) {}

void Predictor::run() {
  logits_ = {};  // first, so that its memory serves the next
  logits_ = infer_logits(device_, model_, images_, false);
}

Tensor Predictor::forward(const Tensor& images) {
  if (!work_.may_capture()) return infer_logits(device_, model_, images, false);
  if (!images_.defined() || images_.shape() != images.shape()) {
    device_.synchronize();
    work_.forget();
    images_ = Tensor::empty(device_, images.shape());
  }
  glia::run<&KernelTable::scale>(device_, {.x = images, .y = images_});
  work_.run();
  const Tensor own = Tensor::empty(device_, logits_.shape(), logits_.dtype());
  glia::run<&KernelTable::scale>(device_, {.x = logits_, .y = own});
  return own;
}

Tensor Predictor::logits(const Tensor& images, bool flips) {
  return infer_logits([this](const Tensor& padded) { return forward(padded); },
                      model_.size_multiple(), images, flips);
}

}  // namespace glia
