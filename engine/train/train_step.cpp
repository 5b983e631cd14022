#include "engine/train/train_step.h"

#include <utility>

#include "engine/ops/ranks.h"
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
          device, [this] { run(); }, device.ranks() ? Mode::eager : mode),
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
  values_.resize(static_cast<std::size_t>(shards_.in_turn));
  if (shards_.count > 1)
    run_shards();
  else
    run_shard(0, {});
  optimizer_.apply();
}

TrainStep::Inputs TrainStep::shard_of(std::int64_t shard) const {
  if (shards_.in_turn == 1) return inputs_;
  const auto part = [&](const Tensor& t) {
    const Shape& all = t.shape();
    const Shape of_shard{all[0] / shards_.in_turn, all[1], all[2], all[3]};
    return t.slice(shard * of_shard.numel(), of_shard);
  };
  return {part(inputs_.images), part(inputs_.target)};
}

nn::Pass TrainStep::pass_of(Tape& tape, std::int64_t shard) const {
  const std::int64_t images = inputs_.images.shape()[0] / shards_.in_turn;
  return {.tape = tape,
          .training = true,
          .seed = seed_,
          .step = step_,
          .first_image = (shards_.first + shard) * images};
}

void TrainStep::run_shard(std::int64_t shard, const Objective::Part& part) {
  nn::ParameterSet& parameters = model_.parameters();
  parameters.clear_grads();
  const Inputs inputs = shard_of(shard);
  Tape tape(device_);
  nn::Pass pass = pass_of(tape, shard);
  Objective::Value& value = values_[static_cast<std::size_t>(shard)];
  value = objective_(tape, model_.forward(pass, inputs.images), inputs.target, part);
  tape.backward(value.loss);
  parameters.finish_grads();
}

Objective::Totals TrainStep::sum_shards() {
  Tape tape(device_, Tape::Mode::off);
  const Shape rows{shards_.in_turn, 2};
  const Tensor iou = Tensor::empty(device_, rows, DType::f64);
  const Tensor dice = objective_.needs_dice() ? Tensor::empty(device_, rows, DType::f64) : Tensor();
  const auto row = [](const Tensor& all, std::int64_t i) {
    return all.defined() ? all.slice(2 * i, {1, 2}) : all;
  };
  for (std::int64_t shard = 0; shard < shards_.in_turn; ++shard) {
    const Inputs inputs = shard_of(shard);
    nn::Pass pass = pass_of(tape, shard);
    objective_.sum(tape, model_.forward(pass, inputs.images), inputs.target,
                   {row(iou, shard), row(dice, shard)});
  }
  const auto total = [&](const Tensor& all) {
    return all.defined() ? ops::sum_over_ranks(tape, all).slice(0, {1, 2}) : all;
  };
  return {total(iou), total(dice)};
}

void TrainStep::run_shards() {
  Objective::Part part{.parts = shards_.count};
  if (shards_.in_turn > 1 && objective_.couples_images())
    part.totals = sum_shards();
  else if (device_.ranks() != nullptr)
    part.whole = [](Tape& tape, const Tensor& sums) {
      return ops::sum_over_ranks(tape, sums).slice(0, sums.shape());
    };
  for (std::int64_t shard = 0; shard < shards_.in_turn; ++shard) {
    run_shard(shard, part);
    gradients_->add(shard);
  }
  gradients_->over_ranks();
}

void TrainStep::divide(const Shards& shards) {
  device_.synchronize();
  forget_recording();
  shards_ = shards;
  gradients_.reset();
  if (shards.count > 1)
    gradients_ = std::make_unique<GradientSum>(device_, model_.parameters(), shards);
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
  std::vector<Tensor> results{optimizer_.not_finite()};
  for (const Objective::Value& value : values_) {
    results.insert(results.end(), {value.loss, value.sums});
    if (value.own.defined()) results.push_back(value.own);
  }
  results_[static_cast<std::size_t>(started_++ % kMostInFlight)].start(results);
}

TrainStep::Result TrainStep::finish() {
  check(in_flight() > 0, "train step: none is in flight");
  TensorReadback& results = results_[static_cast<std::size_t>(finished_++ % kMostInFlight)];
  results.wait();
  std::vector<ShardResult> shards;
  std::size_t next = 1;
  for (const Objective::Value& value : values_) {
    ShardResult& shard = shards.emplace_back();
    shard.loss = results.item(next++);
    shard.sums = Objective::BatchSums::of(results.values<double>(next++));
    if (!value.own.defined()) continue;
    shard.own = results.item(next++);
    shard.loss -= shard.own;
  }
  const ShardResult all = shards_.count > 1
                              ? ShardResult::of_batch(device_, shards, objective_.couples_images())
                              : shards.front();
  return {.loss = all.loss + all.own, .batch_iou = all.sums.iou(), .finite = results.item(0) == 0};
}

}  // namespace glia
