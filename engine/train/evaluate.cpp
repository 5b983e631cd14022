#include "engine/train/evaluate.h"

#include <cmath>

namespace glia {

double threshold_logit(double threshold) {
  check(threshold > 0 && threshold < 1, "--threshold: found {}, expected 0 < t < 1", threshold);
  return std::log(threshold / (1 - threshold));
}

BatchTensors::BatchTensors(Device& device, const Batch& batch) {
  const Shape shape{batch.size, batch.height, batch.width, batch.channels};
  images = Tensor::from<float>(device, shape, batch.images);
  target = Tensor::from<float>(device, shape.with_channels(1), batch.masks);
}

EvaluateResult evaluate(Device& device, nn::Model& model, Loader& loader,
                        const Objective& objective, const EvaluateOptions& options) {
  const double t = threshold_logit(options.threshold);
  EvaluateResult result;
  Batch batch;
  std::int64_t done = 0;
  loader.begin_epoch(0);
  while (loader.next(batch)) {
    const auto [images, target] = BatchTensors(device, batch);
    Tape tape(device, Tape::Mode::off);
    nn::Pass pass{.tape = tape};
    const Tensor logits = model.forward(pass, images);
    const Objective::Value value = objective(tape, logits, target);
    result.loss += value.loss.item();
    ++result.batches;
    const auto counts = ops::confusion_counts(tape, logits, target, t).to_vector<std::int64_t>();
    Counts total;
    for (std::size_t n = 0; n < batch.ids.size(); ++n) {
      const Counts c{counts[4 * n], counts[4 * n + 1], counts[4 * n + 2], counts[4 * n + 3]};
      result.evaluation.add(batch.ids[n], options.patient(batch.ids[n]), c);
      total += c;
    }
    result.evaluation.add_batch_iou(value.intersection, value.union_, total);
    done += batch.size;
    options.progress(done);
  }
  if (result.batches > 0) result.loss /= static_cast<double>(result.batches);
  return result;
}

}  // namespace glia
