// True and false positives and negatives an image. docs/ops/confusion_counts.md
#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

Tensor confusion_counts(Tape& tape, const Tensor& prediction, const Tensor& target, double t) {
  check_image("confusion_counts", prediction);
  check_same_shape("confusion_counts", prediction, target);
  Tensor counts = Tensor::empty(tape.device(), {prediction.shape()[0], 4}, DType::i64);
  run<&KernelTable::confusion_counts>(
      tape.device(), {.prediction = prediction, .target = target, .counts = counts, .t = t});
  return counts;
}

}  // namespace glia::ops
