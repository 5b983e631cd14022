#include "engine/train/train_step.h"

#include <utility>

#include "engine/runtime/run.h"

namespace glia {

TrainStep::TrainStep(Device& device, nn::Model& model, optim::Optimizer& optimizer,
                     const Objective& objective, std::uint64_t seed, Mode mode)
    : device_(device),
      model_(model),
      optimizer_(optimizer),
      objective_(objective),
      seed_(seed),
      step_(Tensor::empty(device, {1}, DType::i64)),
      work_(
          device, [this] { run(); }, mode),
      results_{TensorReadback(device), TensorReadback(device)} {}

void TrainStep::place(const Shape& images) {
  if (inputs_.images.defined() && inputs_.images.shape() == images) return;
  device_.synchronize();
  forget_recording();
  const auto make = [&](Inputs& inputs) {
    inputs = {Tensor::empty(device_, images), Tensor::empty(device_, images.with_channels(1))};
  };
  make(inputs_);
  if (augments_) draws_of_step_ = Tensor::empty(device_, {images[0], kAugmentWords}, DType::i64);
  if (!slices_.defined())
    for (Inputs& inputs : uploads_) make(inputs);
}

void TrainStep::augment_on_device(const AugmentConfig& config, ResidentSlices slices) {
  check(device_.kernels().augment_batch != nullptr,
        "unsupported: the backend '{}' does not augment batches", device_.kernels().name);
  device_.synchronize();
  forget_recording();
  inputs_ = {};
  for (Inputs& inputs : uploads_) inputs = {};
  augments_ = true;
  gamma_ = config.gamma > 0;
  changes_ = config.brightness > 0 || config.noise > 0;
  slices_ = std::move(slices);
}

void TrainStep::augment(const Tensor& images, const Tensor& masks) {
  run_augment_batch(device_, {.images = images,
                              .masks = masks,
                              .draws = draws_of_step_,
                              .new_images = inputs_.images,
                              .new_masks = inputs_.target,
                              .gamma = gamma_,
                              .changes = changes_});
}

void TrainStep::run_on_empty(const Shape& images) {
  place(images);
  work_.run();
}

void TrainStep::run() {
  if (slices_.defined()) augment(slices_.images, slices_.masks);
  nn::ParameterSet& parameters = model_.parameters();
  parameters.clear_grads();
  Tape tape(device_);
  nn::Pass pass{.tape = tape, .training = true, .seed = seed_, .step = step_};
  value_ = objective_(tape, model_.forward(pass, inputs_.images), inputs_.target);
  tape.backward(value_.loss);
  parameters.finish_grads();
  optimizer_.apply();
}

void TrainStep::upload(const Batch& batch) {
  check(in_flight() < kMostInFlight, "train step: an upload while {} steps may read the last",
        in_flight());
  place({batch.size, batch.height, batch.width, batch.channels});
  check(augments_ == !batch.draws.empty(), "train step: a batch {} draws for a device that {}",
        augments_ ? "without" : "with", augments_ ? "augments" : "does not augment");
  draws_ = batch.draws;
  if (slices_.defined()) return;
  // Slices that come with the batch lie in its order.
  for (std::size_t i = 0; i < draws_.size(); ++i) draws_[i].slice = static_cast<std::int64_t>(i);
  const auto copy = [this](const std::vector<float>& values, const Tensor& t) {
    device_.allocator().copy_in_beside(t.view().data, values.data(), values.size() * sizeof(float));
  };
  newest_ = 1 - newest_;
  copy(batch.images, uploads_[newest_].images);
  copy(batch.masks, uploads_[newest_].target);
}

void TrainStep::start(double learning_rate) {
  check(in_flight() < kMostInFlight, "train step: {} are in flight, finish one", in_flight());
  const Inputs& next = uploads_[newest_];
  if (augments_) {
    device_.allocator().copy_in(draws_of_step_.view().data, draws_.data(),
                                draws_.size() * sizeof(AugmentDraws));
    if (!slices_.defined()) augment(next.images, next.target);
  } else {
    glia::run<&KernelTable::scale>(device_, {.x = next.images, .y = inputs_.images});
    glia::run<&KernelTable::scale>(device_, {.x = next.target, .y = inputs_.target});
  }
  const std::int64_t before[] = {optimizer_.steps()};
  step_.copy_from(std::span<const std::int64_t>(before));
  optimizer_.announce(learning_rate);
  work_.run();
  const Tensor results[] = {value_.loss, value_.sums, optimizer_.not_finite()};
  results_[static_cast<std::size_t>(started_++ % kMostInFlight)].start(results);
}

TrainStep::Result TrainStep::finish() {
  check(in_flight() > 0, "train step: none is in flight");
  TensorReadback& results = results_[static_cast<std::size_t>(finished_++ % kMostInFlight)];
  results.wait();
  return {.loss = results.item(0),
          .batch_iou = Objective::BatchSums::of(results.values<double>(1)).iou(),
          .finite = results.item(2) == 0};
}

}  // namespace glia
