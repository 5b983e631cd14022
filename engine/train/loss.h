// The training objective: a weighted sum of the losses that engine/ops has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/ops/ops.h"

namespace glia {

class Objective {
 public:
  /// "iou", "bce", "dice", or a sum such as "iou+0.5*bce". `region` and `smooth` hold for iou and
  /// dice. Throws `Error` naming what it could not read.
  static Objective parse(std::string_view text, Region region, double smooth);

  /// The intersection and union over a batch, for the metric.
  struct BatchSums {
    double intersection = 0, union_ = 0;
    /// Of the values of `Value::sums`.
    static BatchSums of(const std::vector<double>& values) { return {values.at(0), values.at(1)}; }
    double iou() const { return (intersection + 1) / (union_ + 1); }
  };
  /// The loss of a batch and its sums, on the device.
  struct Value {
    Tensor loss, sums;
    /// Of a part of a batch: what the images add to the loss each by itself, in `loss` too;
    /// undefined where there is none.
    Tensor own = {};
    /// Waits for the device.
    BatchSums batch_sums() const;
  };
  /// Sums over a batch: (I, U), and (I, P + T) where Dice is a term over the batch.
  struct Totals {
    Tensor iou, dice;
  };
  /// What a batch is part of: one of `parts` equal ones, whose sums are in `totals`, or else are
  /// added up by `whole` as they come. The parts' gradients then add up to that of the whole batch.
  struct Part {
    std::int64_t parts = 1;
    Totals totals = {};
    ops::WholeBatch whole = {};
  };
  Value operator()(Tape& tape, const Tensor& logits, const Tensor& target) const {
    return (*this)(tape, logits, target, {});
  }
  /// `sums` are those of the whole batch where `couples_images`, else of this part.
  Value operator()(Tape& tape, const Tensor& logits, const Tensor& target, const Part& part) const;
  /// Writes those of these images alone to `to`, whose members are f64 [1, 2]; `dice` where
  /// `needs_dice`.
  void sum(Tape& tape, const Tensor& logits, const Tensor& target, const Totals& to) const;
  bool needs_dice() const;
  /// Whether a term depends on all images of a batch at once.
  bool couples_images() const;

  /// What `parse` reads back.
  std::string str() const;
  Region region() const { return region_; }
  double smooth() const { return smooth_; }
  /// "-log(IoU)" for the seed's loss, else the text: a label for an axis.
  std::string label() const;

 private:
  enum class Kind { iou, bce, dice };
  bool has(Kind kind) const;
  struct Term {
    Kind kind;
    double weight;
  };
  static const char* name_of(Kind kind);

  std::vector<Term> terms_;
  Region region_ = Region::batch;
  double smooth_ = 1;
};

/// "batch" or "image". Throws `Error` listing the choices.
Region parse_region(std::string_view text);
const char* name_of(Region region);

}  // namespace glia
