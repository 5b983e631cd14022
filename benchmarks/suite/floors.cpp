#include "benchmarks/suite/floors.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "engine/base/check.h"

namespace glia::bench {

namespace {

/// Where a convolution's input comes from.
enum class Source { image, activation, pooled, joined };

/// A convolution of the step and what follows it. Sizes are in bytes.
struct Layer {
  Source source = Source::image;
  bool transposed = false;
  bool head = false;  // its result is the logits
  double flops = 0;   // of one pass
  double x = 0, w = 0, y = 0;
  std::size_t input = 0;          // the layer that made x
  double before_pool = 0;         // what was pooled into x
  double pooled = 0, places = 0;  // what its activation is pooled into: bytes, elements
  bool feeds_head = false;
};

const Operand& operand_of(const Call& call, const char* name) {
  const auto found = std::find_if(call.operands.begin(), call.operands.end(),
                                  [&](const Operand& o) { return std::strcmp(o.name, name) == 0; });
  check(found != call.operands.end(), "floors: {} has no operand {}", call.kernel, name);
  return *found;
}

double bytes_of(const Call& call, const char* name) {
  const ConstView& view = operand_of(call, name).view;
  return static_cast<double>(view.shape.numel()) * static_cast<double>(size_of(view.dtype));
}

/// Follows the tensors of the forward pass from kernel to kernel.
class Reader {
 public:
  void read(const Call& call) {
    if (call.kernel == "conv2d_forward" || call.kernel == "conv_transpose2d_forward") {
      add_convolution(call);
    } else if (call.kernel == "max_pool2d_forward") {
      const Operand& y = operand_of(call, "y");
      const std::size_t owner = owner_of(call, "x");
      layers[owner].pooled = bytes_of(call, "y");
      layers[owner].places = static_cast<double>(y.view.shape.numel());
      made_[y.view.data] = {owner, y.view.channels(), true};
    } else if (call.kernel == "iou_loss_forward") {
      Layer& head = layers[owner_of(call, "logits")];
      head.head = true;
      layers[head.input].feeds_head = true;
    } else if (call.kernel == "scale") {  // images become bf16: no layer's work
    } else {  // normalisation and ReLU belong to the convolution before them
      const Operand& y = operand_of(call, "y");
      made_[y.view.data] = {owner_of(call, "x"), y.view.channels(), false};
    }
  }

  std::vector<Layer> layers;

 private:
  struct Made {
    std::size_t layer;
    std::int64_t channels;
    bool pooled;
  };

  std::size_t owner_of(const Call& call, const char* operand) const {
    const auto found = made_.find(operand_of(call, operand).view.data);
    check(found != made_.end(), "floors: no layer made what {} reads as {}", call.kernel, operand);
    return found->second.layer;
  }

  void add_convolution(const Call& call) {
    Layer layer{.transposed = call.op == "conv_transpose2d",
                .flops = call.flops,
                .x = bytes_of(call, "x"),
                .w = bytes_of(call, "w"),
                .y = bytes_of(call, "y")};
    const ConstView& x = operand_of(call, "x").view;
    if (const auto from = made_.find(x.data); from != made_.end()) {
      // A concatenation begins where its first part does and has more channels.
      const bool joined = x.channels() > from->second.channels;
      layer.source = from->second.pooled ? Source::pooled
                     : joined            ? Source::joined
                                         : Source::activation;
      layer.input = from->second.layer;
      layer.before_pool = layers[layer.input].y;
    }
    const Operand& y = operand_of(call, "y");
    made_[y.view.data] = {layers.size(), y.view.channels(), false};
    layers.push_back(layer);
  }

  std::map<const void*, Made> made_;
};

/// The kernels of one stage, added up.
class StageSum {
 public:
  StageSum(Floor& floor, const Peaks& peaks) : floor_(floor), peaks_(peaks) {}

  void kernel(double flops, double bytes) {
    const Roof limit = roof(peaks_, flops, bytes);
    floor_.flops += flops;
    floor_.bytes += bytes;
    floor_.kernels += 1;
    floor_.seconds += limit.seconds;
    if (limit.bound_by_compute) floor_.compute_seconds += limit.seconds;
  }
  void pass(double bytes) { kernel(0, bytes); }

 private:
  Floor& floor_;
  const Peaks& peaks_;
};

void add_head(StageSum& sum, const Layer& l, int stage) {
  // y is the logits; the masks and the probabilities are as large.
  if (stage == 0) {
    sum.kernel(l.flops, l.x + l.w + l.y);
    sum.pass(2 * l.y);  // sigmoid
    sum.pass(2 * l.y);  // sums of the loss
    sum.pass(3 * l.y);  // gradient of the loss
    sum.pass(3 * l.y);  // gradient of the sigmoid
    sum.kernel(l.flops, l.y + l.w + l.x);
    sum.kernel(l.flops, l.y + l.x + l.w);
    return;
  }
  sum.kernel(l.flops, l.x + l.w + 2 * l.y);
  // Backward reads logits and masks, x for dw, and writes dx; S3 forms dx again where it is needed.
  sum.kernel(2 * l.flops, 2 * l.y + 2 * l.w + (stage < 3 ? 2 : 1) * l.x);
}

void add_transposed(StageSum& sum, const Layer& l, int stage) {
  sum.kernel(l.flops, l.x + l.w + l.y);
  if (stage == 0) {
    sum.pass(2 * l.y);  // bias
    sum.pass(l.y);      // its gradient
  }
  // From S2 on dgrad forms the ReLU's gradient, for which it reads what its input was made of.
  sum.kernel(l.flops, l.y + l.w + (stage < 2 ? 1 : 2) * l.x);
  sum.kernel(l.flops, l.y + l.x + l.w);
}

void add_forward(StageSum& sum, const Layer& l, int stage) {
  const bool pools = l.pooled > 0;
  const double packed = l.pooled + l.places / 4;  // with two bits to say where the maximum was
  sum.kernel(l.flops, l.x + l.w + l.y + (stage == 3 && pools ? packed : 0));
  if (stage <= 1) sum.pass(l.y);  // statistics
  if (stage == 0) {
    sum.pass(2 * l.y);                                  // normalisation
    sum.pass(2 * l.y);                                  // ReLU
    if (pools) sum.pass(l.y + l.pooled + l.places);     // a byte a place
    if (l.source == Source::joined) sum.pass(2 * l.x);  // concatenation
  } else if (stage < 3) {
    sum.pass(2 * l.y + (pools ? packed : 0));
  }
}

void add_backward(StageSum& sum, const Layer& l, int stage, double logits) {
  const bool pools = l.pooled > 0;
  if (stage == 0) {
    if (pools) {
      sum.pass(l.pooled + l.places + l.y);
      sum.pass(3 * l.y);  // sum of the gradients from below and from the skip connection
    }
    if (l.source == Source::joined) sum.pass(2 * l.x);  // its gradient in two parts
    sum.pass(3 * l.y);                                  // ReLU
    sum.pass(2 * l.y);                                  // sums of the normalisation
    sum.pass(3 * l.y);                                  // and their use
  } else if (stage == 1) {
    const double incoming = l.y + (pools ? l.pooled + l.places / 4 : 0);
    sum.pass(incoming + l.y);
    sum.pass(incoming + 2 * l.y);
  } else if (stage == 2) {
    sum.pass(3 * l.y);
  }
  // In S3 dy is formed on load, from the gradient after the ReLU and y; the head's neighbour forms
  // it from logits and masks.
  const double dy = stage < 3 ? l.y : l.feeds_head ? l.y + 2 * logits : 2 * l.y;
  if (l.source != Source::image) {
    double dx = l.x;
    if (stage >= 2 && l.source == Source::activation) dx = 2 * l.x;
    if (stage >= 2 && l.source == Source::pooled) {
      const double places = l.x / static_cast<double>(sizeof(float));
      dx = 3 * l.before_pool + places / 4;  // scattered, added to the skip's, masked by y
    }
    sum.kernel(l.flops, dy + l.w + dx);
  }
  sum.kernel(l.flops, dy + l.x + l.w);
}

constexpr const char* kWhat[] = {"a pass an operation", "element-wise passes fused",
                                 "and statistics in the convolutions", "and normalisation on load"};

}  // namespace

std::vector<Floor> step_floors(const RecordedStep& step, const Peaks& peaks) {
  if (step.config.norm == nn::NormKind::none || step.config.up != UpPath::transpose ||
      step.config.narrow_head)
    return {};
  Reader reader;
  double gradients = 0;
  for (const Call& call : step.calls) {
    if (call.phase == Phase::forward) reader.read(call);
    if (call.phase == Phase::update) gradients = bytes_of(call, "g");
  }
  const Layer& head = reader.layers.back();
  std::vector<Floor> floors;
  for (int stage = 0; stage < 4; ++stage) {
    Floor& floor = floors.emplace_back(Floor{fmt::format("S{}", stage), kWhat[stage]});
    StageSum sum(floor, peaks);
    for (const Layer& layer : reader.layers) {
      if (layer.head) {
        add_head(sum, layer, stage);
      } else if (layer.transposed) {
        add_transposed(sum, layer, stage);
      } else {
        add_forward(sum, layer, stage);
        add_backward(sum, layer, stage, head.y);
      }
    }
    sum.pass(7 * gradients);  // the optimizer: weights and two moments read and written, gradients
    if (stage == 0) sum.pass(gradients);
  }
  return floors;
}

}  // namespace glia::bench
