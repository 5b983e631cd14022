#include "engine/train/validation.h"

#include <utility>

#include "engine/comm/communicator.h"
#include "engine/runtime/run.h"
#include "engine/train/inference.h"

namespace glia {

Validation::Validation(Device& device, nn::Model& model, const Objective& objective, Loader& loader,
                       ResidentSlices slices, How how)
    : device_(device),
      model_(model),
      objective_(objective),
      loader_(loader),
      slices_(std::move(slices)),
      images_at_once_(loader.batch_size() / how.shards),
      work_(
          device, [this] { judge(); }, how.mode),
      slots_{Slot{TensorReadback(device)}, Slot{TensorReadback(device)},
             Slot{TensorReadback(device)}, Slot{TensorReadback(device)}} {}

void Validation::place(const Batch& batch) {
  const Shape shape{batch.size, batch.height, batch.width, batch.channels};
  if (!images_.defined() || images_.shape() != shape) {
    device_.synchronize();
    work_.forget();
    images_ = target_ = {};
    images_ = Tensor::empty(device_, shape);
    target_ = Tensor::empty(device_, shape.with_channels(1));
  }
  if (!slices_.defined()) {
    images_.copy_from(batch.images);
    target_.copy_from(batch.masks);
    return;
  }
  // The batch's slices are neighbours, since nothing shuffles them.
  const auto copy = [&](const Tensor& all, const Tensor& to) {
    const std::int64_t of_slice = to.numel() / batch.size;
    glia::run<&KernelTable::scale>(
        device_, {.x = all.slice(batch.indices.front() * of_slice, to.shape()), .y = to});
  };
  copy(slices_.images, images_);
  copy(slices_.masks, target_);
}

void Validation::judge() {
  value_ = {};  // first, so that their memory serves the next
  counts_ = {};
  Tape tape(device_, Tape::Mode::off);
  const Tensor logits = infer_by_shards(device_, model_, images_, images_at_once_);
  value_ = objective_(tape, logits, target_);
  counts_ = ops::confusion_counts(tape, logits, target_, threshold_logit(0.5));
}

void Validation::collect(Slot& slot) {
  if (!slot.busy) return;
  slot.busy = false;
  slot.results.wait();
  scores_.push_back({.loss = slot.results.item(0),
                     .sums = Objective::BatchSums::of(slot.results.values<double>(1)),
                     .counts = BatchScores::counts_of(slot.results.values<std::int64_t>(2))});
}

std::vector<BatchScores> Validation::all_scores() const {
  Communicator* ranks = device_.ranks();
  if (ranks == nullptr) return scores_;
  // A row a batch: what is of the batch, then of each slice; as wide as the largest has it.
  const auto size = static_cast<std::size_t>(ranks->size());
  const auto batches = static_cast<std::size_t>(loader_.batches_per_epoch());
  const std::size_t rows = (batches + size - 1) / size;
  const auto width = static_cast<std::size_t>(3 + 4 * loader_.batch_size());
  std::vector<double> mine(rows * width), all(rows * width * size);
  for (std::size_t b = 0; b < scores_.size(); ++b) {
    const BatchScores& scores = scores_[b];
    double* row = mine.data() + b * width;
    for (const double value : {scores.loss, scores.sums.intersection, scores.sums.union_})
      *row++ = value;
    for (const Counts& c : scores.counts)
      for (const std::int64_t count : {c.tp, c.fp, c.fn, c.tn}) *row++ = static_cast<double>(count);
  }
  ranks->gather(mine.data(), all.data(), mine.size() * sizeof(double));
  std::vector<BatchScores> scores;
  for (std::size_t b = 0; b < batches; ++b) {
    const double* row = all.data() + (b % size * rows + b / size) * width;
    BatchScores& of_batch = scores.emplace_back();
    of_batch.loss = row[0];
    of_batch.sums = {row[1], row[2]};
    std::vector<std::int64_t> counts;
    for (std::size_t i = 0; i < 4 * loader_.size_of(static_cast<std::int64_t>(b)); ++i)
      counts.push_back(static_cast<std::int64_t>(row[3 + i]));
    of_batch.counts = BatchScores::counts_of(counts);
  }
  return scores;
}

EvaluateResult Validation::run() {
  captured_ = false;
  scores_.clear();
  std::size_t turn = 0;
  const auto next_slot = [&]() -> Slot& { return slots_[turn++ % slots_.size()]; };
  Batch batch;
  loader_.begin_epoch(0);
  while (loader_.next(batch)) {
    Slot& slot = next_slot();
    collect(slot);
    place(batch);
    work_.run();
    captured_ = captured_ || work_.captured();
    const Tensor results[] = {value_.loss, value_.sums, counts_};
    slot.results.start(results);
    slot.busy = true;
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) collect(next_slot());
  work_.forget();
  value_ = {};
  counts_ = images_ = target_ = {};

  EvaluateResult result;
  auto sample = loader_.samples().begin();
  for (const BatchScores& scores : all_scores()) {
    std::vector<ScoredCase> slices;
    for (std::size_t i = 0; i < scores.counts.size(); ++i) slices.push_back({(sample++)->id, ""});
    result.add(scores, slices);
  }
  result.finish();
  return result;
}

}  // namespace glia
