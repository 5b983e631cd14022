#include "engine/train/loss.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/finite.h"
#include "engine/runtime/run.h"

namespace glia {

const char* Objective::name_of(Kind kind) {
  switch (kind) {
    case Kind::iou: return "iou";
    case Kind::bce: return "bce";
    case Kind::dice: return "dice";
  }
  return "?";
}

Objective Objective::parse(std::string_view text, Region region, double smooth) {
  check(is_positive_float(smooth),
        "--smooth: found {}, expected more than 0, within the range of float32", smooth);
  Objective objective;
  objective.region_ = region;
  objective.smooth_ = smooth;
  for (std::string_view rest = text;; rest.remove_prefix(rest.find('+') + 1)) {
    std::string_view term = rest.substr(0, rest.find('+'));
    double weight = 1;
    if (const auto star = term.find('*'); star != std::string_view::npos) {
      const auto parsed = std::from_chars(term.data(), term.data() + star, weight);
      check(
          parsed.ec == std::errc() && parsed.ptr == term.data() + star && is_positive_float(weight),
          "--loss: found the weight '{}' in '{}', expected a number above 0, within the range of "
          "float32",
          term.substr(0, star), text);
      term.remove_prefix(star + 1);
    }
    const auto before = objective.terms_.size();
    for (Kind kind : {Kind::iou, Kind::bce, Kind::dice})
      if (term == name_of(kind)) objective.terms_.push_back({kind, weight});
    check(objective.terms_.size() == before + 1,
          "--loss: found '{}' in '{}', expected iou, bce, dice or a sum such as iou+0.5*bce", term,
          text);
    if (rest.find('+') == std::string_view::npos) return objective;
  }
}

bool Objective::has(Kind kind) const {
  return std::any_of(terms_.begin(), terms_.end(), [&](const Term& t) { return t.kind == kind; });
}

bool Objective::couples_images() const {
  return region_ == Region::batch && (has(Kind::iou) || has(Kind::dice));
}

bool Objective::needs_dice() const {
  return region_ == Region::batch && has(Kind::dice);
}

void Objective::sum(Tape& tape, const Tensor& logits, const Tensor& target,
                    const Totals& to) const {
  const Tensor unused = Tensor::empty(tape.device(), {1}, logits.dtype());
  run<&KernelTable::iou_loss_forward>(
      tape.device(), {.logits = logits, .target = target, .loss = unused, .sums = to.iou});
  if (needs_dice())
    run<&KernelTable::dice_loss_forward>(
        tape.device(), {.logits = logits, .target = target, .loss = unused, .sums = to.dice});
}

Objective::Value Objective::operator()(Tape& tape, const Tensor& logits, const Tensor& target,
                                       const Part& part) const {
  Value value;
  // Of one kind of sums: as given, or added up when they are known.
  const auto whole = [&](const Tensor& given) {
    if (region_ != Region::batch) return ops::WholeBatch();
    if (!given.defined()) return part.whole;
    return ops::WholeBatch([given](Tape&, const Tensor&) { return given; });
  };
  const auto add = [&](const Tensor& sum, const Tensor& x) {
    return sum.defined() ? ops::add(tape, sum, x) : x;
  };
  for (const Term& term : terms_) {
    Tensor loss;
    if (term.kind == Kind::iou) {
      const ops::RegionLoss iou =
          ops::iou_loss(tape, logits, target, region_, smooth_, whole(part.totals.iou));
      loss = iou.loss;
      if (region_ == Region::batch) value.sums = iou.sums;
    } else if (term.kind == Kind::dice) {
      loss = ops::dice_loss(tape, logits, target, region_, smooth_, whole(part.totals.dice)).loss;
    } else {
      loss = ops::bce_with_logits(tape, logits, target);
    }
    const bool own = part.parts > 1 && (term.kind == Kind::bce || region_ == Region::image);
    const double weight = own ? term.weight / static_cast<double>(part.parts) : term.weight;
    if (weight != 1) loss = ops::scale(tape, loss, weight);
    if (own) value.own = add(value.own, loss);
    value.loss = add(value.loss, loss);
  }
  if (!value.sums.defined()) {
    Tape off(tape.device(), Tape::Mode::off);
    value.sums = part.totals.iou;
    if (!value.sums.defined())
      value.sums = ops::iou_loss(off, logits, target, Region::batch, 1,
                                 couples_images() ? part.whole : ops::WholeBatch())
                       .sums;
  }
  return value;
}

Objective::BatchSums Objective::Value::batch_sums() const {
  return BatchSums::of(sums.to_vector<double>());
}

std::string Objective::str() const {
  std::string text;
  for (const Term& term : terms_)
    text += (text.empty() ? "" : "+") +
            (term.weight == 1 ? std::string() : fmt::format("{}*", term.weight)) +
            name_of(term.kind);
  return text;
}

std::string Objective::label() const {
  return str() == "iou" ? "-log(IoU)" : str();
}

Region parse_region(std::string_view text) {
  if (text == "batch") return Region::batch;
  if (text == "image") return Region::image;
  fail("--region: found '{}', expected batch or image", text);
}

const char* name_of(Region region) {
  return region == Region::batch ? "batch" : "image";
}

}  // namespace glia
