#include "engine/train/evaluate.h"

#include <utility>

#include "engine/base/file.h"

namespace glia {

BatchTensors::BatchTensors(Device& device, const Batch& batch) {
  const Shape shape{batch.size, batch.height, batch.width, batch.channels};
  images = Tensor::from<float>(device, shape, batch.images);
  target = Tensor::from<float>(device, shape.with_channels(1), batch.masks);
}

namespace {

/// A batch and what the network makes of it, with and without flips: computed when first asked for,
/// since most steps on a mask share the logits.
class JudgedBatch {
 public:
  JudgedBatch(Device& device, nn::Model& model, const Batch& batch)
      : device_(device), model_(model), tensors_(device, batch) {}

  const Tensor& target() const { return tensors_.target; }
  const Tensor& logits(bool flips) {
    Tensor& logits = logits_[flips ? 1 : 0];
    if (!logits.defined()) logits = infer_logits(device_, model_, tensors_.images, flips);
    return logits;
  }

 private:
  Device& device_;
  nn::Model& model_;
  BatchTensors tensors_;
  Tensor logits_[2];
};

/// The pixel counts of each slice of a batch.
std::vector<Counts> count_pixels(Tape& tape, JudgedBatch& batch, const Inference& way, double t) {
  const Tensor& logits = batch.logits(way.flips);
  const Tensor counts =
      way.postprocess.any()
          ? ops::confusion_counts(tape, decide(logits, t, way.postprocess), batch.target(), 0.5)
          : ops::confusion_counts(tape, logits, batch.target(), t);
  const auto n = counts.to_vector<std::int64_t>();
  std::vector<Counts> slices;
  for (std::size_t i = 0; i < n.size(); i += 4)
    slices.push_back({n[i], n[i + 1], n[i + 2], n[i + 3]});
  return slices;
}

/// What the counts do not say: shows every slice to the options' observer, collects thresholds and
/// calibration, and returns the HD95 of each.
std::vector<std::optional<double>> look_closely(const Batch& batch, const Tensor& logits,
                                                const Inference& way,
                                                const EvaluateOptions& options,
                                                EvaluateResult& result) {
  const auto all = logits.to_vector<float>();
  const auto pixels = static_cast<std::size_t>(batch.height * batch.width);
  std::vector<std::optional<double>> distances;
  for (std::size_t n = 0; n < batch.ids.size(); ++n) {
    const auto slice = std::span(all).subspan(n * pixels, pixels);
    const auto truth = std::span(batch.masks).subspan(n * pixels, pixels);
    const std::vector<float> probability = probabilities_of(slice);
    in_file("slice " + batch.ids[n], [&] { check_probabilities(probability); });
    const auto mask =
        decide(probability, batch.height, batch.width, options.threshold, way.postprocess);
    if (options.slice)
      options.slice({batch.ids[n], batch.height, batch.width, truth, probability, mask});
    if (!options.details) continue;
    result.thresholds.add(options.patient(batch.ids[n]), probability, truth);
    result.calibration.add(probability, truth);
    const PixelSize size = options.pixel_size ? options.pixel_size(batch.ids[n]) : PixelSize{};
    distances.push_back(hd95(mask, truth, batch.height, batch.width, size));
  }
  distances.resize(batch.ids.size());
  return distances;
}

}  // namespace

std::vector<EvaluateResult> evaluate_ways(Device& device, nn::Model& model, Loader& loader,
                                          const Objective& objective,
                                          const EvaluateOptions& options,
                                          std::span<const Inference> ways) {
  const double t = threshold_logit(options.threshold);
  const Evaluation none(options.pixel_size ? "mm" : "pixels");
  std::vector<EvaluateResult> results(ways.size(), EvaluateResult{.evaluation = none});
  Batch batch;
  std::int64_t done = 0;
  loader.begin_epoch(0);
  while (loader.next(batch)) {
    JudgedBatch judged(device, model, batch);
    Tape tape(device, Tape::Mode::off);
    for (std::size_t i = 0; i < ways.size(); ++i) {
      EvaluateResult& result = results[i];
      const Objective::Value value = objective(tape, judged.logits(ways[i].flips), judged.target());
      result.loss += value.loss.item();
      ++result.batches;
      const std::vector<Counts> counts = count_pixels(tape, judged, ways[i], t);
      std::vector<std::optional<double>> distances(batch.ids.size());
      if (options.details || options.slice)
        distances = look_closely(batch, judged.logits(ways[i].flips), ways[i], options, result);
      Counts total;
      for (std::size_t n = 0; n < batch.ids.size(); ++n) {
        result.evaluation.add(batch.ids[n], options.patient(batch.ids[n]), counts[n], distances[n]);
        total += counts[n];
      }
      const Objective::BatchSums sums = value.batch_sums();
      result.evaluation.add_batch_iou(sums.intersection, sums.union_, total);
    }
    done += batch.size;
    options.progress(done);
  }
  for (EvaluateResult& result : results)
    if (result.batches > 0) result.loss /= static_cast<double>(result.batches);
  return results;
}

EvaluateResult evaluate(Device& device, nn::Model& model, Loader& loader,
                        const Objective& objective, const EvaluateOptions& options) {
  const Inference ways[] = {options.inference};
  return std::move(evaluate_ways(device, model, loader, objective, options, ways).front());
}

}  // namespace glia
