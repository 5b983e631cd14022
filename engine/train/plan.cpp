#include "engine/train/plan.h"

#include "engine/runtime/plan_device.h"
#include "engine/train/train_step.h"

namespace glia {

std::size_t planned_bytes(const ModelFactory& make, const StepShape& shape) {
  PlanDevice device;
  const auto model = make();
  model->parameters().allocate(device);
  optim::Optimizer optimizer(shape.optimizer, model->parameters());
  TrainStep step(device, *model, optimizer, shape.objective, 0, TrainStep::Mode::eager);
  step.run_on_empty({shape.batch_size, shape.height, shape.width, model->in_channels()});
  return device.peak_bytes();
}

std::int64_t largest_batch(const ModelFactory& make, StepShape shape, std::size_t bytes) {
  const auto fits = [&](std::int64_t batch_size) {
    shape.batch_size = batch_size;
    return planned_bytes(make, shape) <= bytes;
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
