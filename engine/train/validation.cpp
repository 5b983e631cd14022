#include "engine/train/validation.h"

#include <utility>

#include "engine/runtime/run.h"
#include "engine/train/inference.h"

namespace glia {

Validation::Validation(Device& device, nn::Model& model, const Objective& objective, Loader& loader,
                       ResidentSlices slices, RepeatedWork::Mode mode)
    : device_(device),
      model_(model),
      objective_(objective),
      loader_(loader),
      slices_(std::move(slices)),
      work_(
          device, [this] { judge(); }, mode),
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
  const Tensor logits = infer_logits(device_, model_, images_, false);
  value_ = objective_(tape, logits, target_);
  counts_ = ops::confusion_counts(tape, logits, target_, threshold_logit(0.5));
}

void Validation::collect(Slot& slot, EvaluateResult& result) {
  if (slot.slices.empty()) return;
  slot.results.wait();
  result.add({.loss = slot.results.item(0),
              .sums = Objective::BatchSums::of(slot.results.values<double>(1)),
              .counts = BatchScores::counts_of(slot.results.values<std::int64_t>(2))},
             slot.slices);
  slot.slices.clear();
}

EvaluateResult Validation::run() {
  EvaluateResult result;
  captured_ = false;
  std::size_t turn = 0;
  const auto next_slot = [&]() -> Slot& { return slots_[turn++ % slots_.size()]; };
  Batch batch;
  loader_.begin_epoch(0);
  while (loader_.next(batch)) {
    Slot& slot = next_slot();
    collect(slot, result);
    place(batch);
    work_.run();
    captured_ = captured_ || work_.captured();
    const Tensor results[] = {value_.loss, value_.sums, counts_};
    slot.results.start(results);
    for (const std::string& id : batch.ids) slot.slices.push_back({id, ""});
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) collect(next_slot(), result);
  result.finish();
  work_.forget();
  value_ = {};
  counts_ = images_ = target_ = {};
  return result;
}

}  // namespace glia
