#include "engine/train/plan.h"

#include "engine/comm/planned.h"
#include "engine/train/inference.h"
#include "engine/train/train_step.h"

namespace glia {

namespace {

/// What training keeps from step to step.
struct Kept {
  Kept(PlanDevice& device, const ModelFactory& make, const StepShape& shape)
      : ranks(static_cast<int>(shape.ranks)),
        model(make()),
        images{shape.batch_size / shape.ranks, shape.height, shape.width, model->in_channels()} {
    if (shape.ranks > 1) device.join(&ranks);
    const Shards shards = Shards::of(device, shape.shards, shape.batch_size);
    PlanLog& log = device.log();
    log.begin_stage("weights and gradients");
    model->parameters().allocate(device);
    log.begin_stage("optimizer");
    optimizer = std::make_unique<optim::Optimizer>(shape.optimizer, model->parameters());
    log.begin_stage("batches");
    step = std::make_unique<TrainStep>(device, *model, *optimizer, shape.objective, 0,
                                       TrainStep::Mode::eager);
    step->reserve(images);
    log.begin_stage("sums of shards");
    step->divide(shards);
    log.begin_stage("");
  }

  PlannedRanks ranks;
  std::unique_ptr<nn::Model> model;
  Shape images;  // of this rank
  std::unique_ptr<optim::Optimizer> optimizer = {};
  std::unique_ptr<TrainStep> step = {};
};

/// Of a batch as `evaluate` judges it.
std::size_t plan_validation(const ModelFactory& make, const StepShape& shape,
                            const PlanTarget& target) {
  PlanDevice device(target);
  const Kept kept(device, make, shape);
  Shape batch = kept.images;
  batch = {shape.batch_size, batch[1], batch[2], batch[3]};  // whole, whatever the ranks
  const Tensor images = Tensor::empty(device, batch);
  const Tensor masks = Tensor::empty(device, batch.with_channels(1));
  Tape tape(device, Tape::Mode::off);
  shape.objective(
      tape, infer_by_shards(device, *kept.model, images, shape.batch_size / shape.shards), masks);
  return device.peak_bytes();
}

}  // namespace

StepPlan plan_step(const ModelFactory& make, const StepShape& shape, const PlanTarget& target) {
  PlanDevice device(target);
  const Kept kept(device, make, shape);
  kept.step->run_on_empty(kept.images);
  return {.tensors = device.log().tensors(),
          .step_bytes = device.peak_bytes(),
          .validation_bytes = plan_validation(make, shape, target),
          .fullest_kernel = device.log().fullest_kernel()};
}

std::int64_t largest_batch(const ModelFactory& make, StepShape shape, const PlanTarget& target,
                           std::size_t bytes, std::size_t beside) {
  const auto fits = [&](std::int64_t images_of_shard) {
    shape.batch_size = images_of_shard * shape.shards;
    return plan_step(make, shape, target).peak_bytes() +
               static_cast<std::size_t>(shape.batch_size / shape.ranks) * beside <=
           bytes;
  };
  if (!fits(1)) return 0;
  std::int64_t good = 1, bad = 2;
  while (fits(bad)) {
    good = bad;
    bad *= 2;
  }
  while (bad - good > 1) {
    const std::int64_t middle = good + (bad - good) / 2;
    (fits(middle) ? good : bad) = middle;
  }
  return good * shape.shards;
}

}  // namespace glia
