#include "engine/train/evaluate.h"

#include <utility>

#include "engine/base/file.h"
#include "engine/train/predictor.h"

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
  JudgedBatch(Predictor& predictor, const Batch& batch)
      : predictor_(predictor), tensors_(predictor.device(), batch) {}

  const Tensor& target() const { return tensors_.target; }
  const Tensor& logits(bool flips) {
    Tensor& logits = logits_[flips ? 1 : 0];
    if (!logits.defined()) logits = predictor_.logits(tensors_.images, flips);
    return logits;
  }

 private:
  Predictor& predictor_;
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
  return BatchScores::counts_of(counts.to_vector<std::int64_t>());
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

std::vector<Counts> BatchScores::counts_of(const std::vector<std::int64_t>& values) {
  std::vector<Counts> slices;
  for (std::size_t i = 0; i < values.size(); i += 4)
    slices.push_back({values[i], values[i + 1], values[i + 2], values[i + 3]});
  return slices;
}

void EvaluateResult::add(const BatchScores& scores, const std::vector<ScoredCase>& slices) {
  loss += scores.loss;
  ++batches;
  Counts total;
  for (std::size_t n = 0; n < slices.size(); ++n) {
    evaluation.add(slices[n].id, slices[n].patient, scores.counts.at(n), slices[n].hd95);
    total += scores.counts[n];
  }
  evaluation.add_batch_iou(scores.sums.intersection, scores.sums.union_, total);
}

void EvaluateResult::finish() {
  if (batches > 0) loss /= static_cast<double>(batches);
}

std::vector<EvaluateResult> evaluate_ways(Device& device, nn::Model& model, Loader& loader,
                                          const Objective& objective,
                                          const EvaluateOptions& options,
                                          std::span<const Inference> ways) {
  const double t = threshold_logit(options.threshold);
  const Evaluation none(options.pixel_size ? "mm" : "pixels");
  std::vector<EvaluateResult> results(ways.size(), EvaluateResult{.evaluation = none});
  Predictor predictor(device, model);
  Batch batch;
  std::int64_t done = 0;
  loader.begin_epoch(0);
  while (loader.next(batch)) {
    JudgedBatch judged(predictor, batch);
    Tape tape(device, Tape::Mode::off);
    for (std::size_t i = 0; i < ways.size(); ++i) {
      EvaluateResult& result = results[i];
      const Tensor& logits = judged.logits(ways[i].flips);
      const Objective::Value value = objective(tape, logits, judged.target());
      const BatchScores scores{.loss = value.loss.item(),
                               .sums = value.batch_sums(),
                               .counts = count_pixels(tape, judged, ways[i], t)};
      std::vector<std::optional<double>> distances(batch.ids.size());
      if (options.details || options.slice)
        distances = look_closely(batch, logits, ways[i], options, result);
      std::vector<ScoredCase> slices;
      for (std::size_t n = 0; n < batch.ids.size(); ++n)
        slices.push_back({batch.ids[n], options.patient(batch.ids[n]), distances[n]});
      result.add(scores, slices);
    }
    done += batch.size;
    options.progress(done);
  }
  for (EvaluateResult& result : results) result.finish();
  return results;
}

EvaluateResult evaluate(Device& device, nn::Model& model, Loader& loader,
                        const Objective& objective, const EvaluateOptions& options) {
  const Inference ways[] = {options.inference};
  return std::move(evaluate_ways(device, model, loader, objective, options, ways).front());
}

}  // namespace glia
