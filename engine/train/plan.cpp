#include "engine/train/plan.h"

#include "engine/train/train_step.h"

namespace glia {

StepPlan plan_step(const ModelFactory& make, const StepShape& shape, const PlanTarget& target) {
  PlanDevice device(target);
  PlanLog& log = device.log();
  const auto model = make();
  nn::ParameterSet& parameters = model->parameters();
  log.begin_stage("weights and gradients");
  parameters.allocate(device);
  log.begin_stage("optimizer");
  optim::Optimizer optimizer(shape.optimizer, parameters);
  log.begin_stage("batches");
  TrainStep step(device, *model, optimizer, shape.objective, 0, TrainStep::Mode::eager);
  const Shape images{shape.batch_size, shape.height, shape.width, model->in_channels()};
  step.reserve(images);
  log.begin_stage("");
  step.run_on_empty(images);
  return {.tensors = log.tensors(),
          .peak_bytes = device.peak_bytes(),
          .fullest_kernel = log.fullest_kernel()};
}

std::int64_t largest_batch(const ModelFactory& make, StepShape shape, const PlanTarget& target,
                           std::size_t bytes) {
  const auto fits = [&](std::int64_t batch_size) {
    shape.batch_size = batch_size;
    return plan_step(make, shape, target).peak_bytes <= bytes;
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
  return good;
}

}  // namespace glia
