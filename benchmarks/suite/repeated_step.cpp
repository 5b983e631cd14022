#include "benchmarks/suite/repeated_step.h"

#include "engine/base/rng.h"
#include "engine/ops/ops.h"
#include "engine/train/inference.h"

namespace glia::bench {

namespace {

nn::ParameterSet& allocated(UNet& net, Device& device) {
  net.parameters().allocate(device, 0);
  return net.parameters();
}

/// Normal images; a tenth of each mask is 1.
Batch random_batch(std::int64_t batch_size, std::int64_t size, std::int64_t channels) {
  Batch batch;
  batch.size = batch_size;
  batch.height = batch.width = size;
  batch.channels = channels;
  Sequence random(1, 0);
  const auto pixels = static_cast<std::size_t>(batch_size * size * size);
  batch.images.resize(pixels * static_cast<std::size_t>(channels));
  batch.masks.resize(pixels);
  for (float& value : batch.images) value = static_cast<float>(random.normal());
  for (float& value : batch.masks) value = random.chance(0.1) ? 1.0f : 0.0f;
  return batch;
}

}  // namespace

RepeatedStep::RepeatedStep(Device& device, const UNetConfig& config, std::int64_t batch_size,
                           std::int64_t size, TrainStep::Mode mode)
    : net_(config),
      objective_(Objective::parse("iou", Region::batch, 1)),
      adam_({}, allocated(net_, device)),
      step_(device, net_, adam_, objective_, 0, mode) {
  step_.upload(random_batch(batch_size, size, config.in_channels));
}

RepeatedInference::RepeatedInference(Device& device, const UNetConfig& config,
                                     std::int64_t batch_size, std::int64_t size,
                                     RepeatedWork::Mode mode)
    : device_(device),
      net_(config),
      work_(
          device, [this] { infer(); }, mode) {
  allocated(net_, device).set_wants_grads(false);
  const Batch batch = random_batch(batch_size, size, config.in_channels);
  images_ = Tensor::from<float>(device, {batch_size, size, size, config.in_channels}, batch.images);
}

void RepeatedInference::infer() {
  probability_ = {};  // first, so that its memory serves the next
  Tape tape(device_, Tape::Mode::off);
  probability_ = ops::sigmoid(tape, infer_logits(device_, net_, images_, false));
}

}  // namespace glia::bench
