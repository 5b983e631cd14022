#include "benchmarks/judge/net_check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "benchmarks/judge/devices.h"
#include "benchmarks/judge/transfer.h"
#include "benchmarks/reference/table.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"

namespace glia::test {

namespace {

using reference::Values;

constexpr std::uint64_t kNetSeed = 11;
constexpr int kDirections = 4, kMostDrawn = 40, kMostStarts = 3;
/// Of rounding in float32 tests/scale measures at most 3e-6 (docs/scale.md).
constexpr double kNetBound = 1e-5;
/// All weights move at once, so a larger step crosses the kinks of many ReLUs; the loss, known to
/// 1e-15, still gives the slope to 1e-7.
constexpr double kNetStep = 1e-8;
/// Of a parameter that moves by itself, relative to its gradient: only names what is wrong.
constexpr double kParameterBound = 1e-4;
/// Below it a slope is what is left of rounding the loss.
constexpr double kLeastSlope = 1e-3;

/// Images with a bright rectangle where the mask is 1, the same in float32 and float64.
struct NetBatch {
  Shape shape;
  Values images, masks;

  std::uint64_t seed = 0;  // of the weights too

  NetBatch(const NetCase& one, std::uint64_t start)
      : shape{one.batch, one.height, one.width, 3}, seed(kNetSeed + start) {
    Sequence random(seed, 0);
    for (std::int64_t n = 0; n < shape[0]; ++n)
      for (std::int64_t h = 0; h < shape[1]; ++h)
        for (std::int64_t w = 0; w < shape[2]; ++w) {
          const bool inside = h >= 8 + n && h < 30 && w >= 20 && w < 50 + n;
          for (std::int64_t c = 0; c < shape[3]; ++c)
            images.push_back(static_cast<float>(random.normal() + (inside ? 2.0 : 0.0)));
          masks.push_back(inside ? 1 : 0);
        }
  }
};

Tensor placed(Device& device, const Shape& shape, const Values& values, DType type) {
  const Tensor tensor = Tensor::empty(device, shape, type);
  store(values, tensor);
  return tensor;
}

/// Biases start at 0, where whatever is fed by zeros alone lies at the kink of its ReLU: so all
/// parameters are moved a little, and nothing lies there by construction.
void move_off_kinks(const nn::ParameterSet& parameters, std::uint64_t seed) {
  Sequence random(seed, 1);
  for (const auto& parameter : parameters.parameters()) {
    Values values = load(parameter.value);
    for (double& v : values) v = static_cast<float>(v + random.uniform(-0.1, 0.1));
    store(values, parameter.value);
  }
}

/// One step by the kernels: the weights it starts from and their gradients, a parameter each.
struct Step {
  std::vector<std::string> names;
  std::vector<Values> weights, gradients;
};

/// The network on `device`, with these weights if given; its loss, and what the tape gives.
double run_net(Device& device, const NetCase& one, const NetBatch& batch,
               const std::vector<Values>& weights, Step* step) {
  UNet net(one.config);
  net.parameters().allocate(device, batch.seed);
  const auto& all = net.parameters().parameters();
  if (weights.empty()) move_off_kinks(net.parameters(), batch.seed);
  for (std::size_t p = 0; p < weights.size(); ++p) store(weights[p], all[p].value);
  net.parameters().clear_grads();
  Tape tape(device, step != nullptr ? Tape::Mode::record : Tape::Mode::off);
  nn::Pass pass{.tape = tape, .training = true, .seed = 3};
  const DType type = device.kernels().parameters;
  const Tensor x = placed(device, batch.shape, batch.images, type);
  const Tensor t = placed(device, batch.shape.with_channels(1), batch.masks, type);
  const Tensor loss = ops::iou_loss(tape, net.forward(pass, x), t).loss;
  if (step == nullptr) return load(loss).front();
  tape.backward(loss);
  net.parameters().finish_grads();
  for (const auto& parameter : all) {
    step->names.push_back(parameter.name);
    step->weights.push_back(load(parameter.value));
    step->gradients.push_back(load(parameter.value.grad()));
  }
  return load(loss).front();
}

class NetJudge {
 public:
  NetJudge(const NetCase& one, const KernelTable& kernels, std::uint64_t start)
      : one_(one), batch_(one, start) {
    Device device("gradcheck", kernels, guarded_memory(kernels), available_cores());
    run_net(device, one_, batch_, {}, &step_);
    here_ = loss(std::vector<Values>(step_.names.size()), 0);
  }

  NetRow row() const {
    NetRow row{.net = one_.name(), .parameters = step_.names.size(), .bound = kNetBound};
    double wrong = 0, all = 0;
    for (std::uint64_t d = 0; row.directions < kDirections && d < kMostDrawn; ++d) {
      const Slope slope = along(signs(d, 0, step_.names.size()));
      if (slope.kinked) {
        ++row.skipped;
        continue;
      }
      ++row.directions;
      wrong += std::pow(slope.found - slope.expected, 2);
      all += std::pow(slope.expected, 2);
    }
    row.error = std::sqrt(wrong / all);
    if (row.directions == 0 || std::isnan(row.error)) row.error = HUGE_VAL;
    return row;
  }

  /// Each parameter by itself.
  void name_wrong(NetRow& row) const {
    std::vector<std::string> right;
    double worst = 0;
    for (std::size_t p = 0; p < step_.names.size(); ++p) {
      const Slope slope = along(signs(100 + p, p, p + 1));
      const double error =
          std::abs(slope.found - slope.expected) / std::max(slope.size, kLeastSlope);
      worst = std::max(worst, error);
      (error > kParameterBound ? row.wrong : right).push_back(step_.names[p]);
    }
    if (row.directions == 0) {  // nothing else was compared
      row.error = worst;
      row.bound = kParameterBound;
    }
    row.common = common_part(row.wrong, right);
  }

 private:
  struct Slope {
    double found = 0, expected = 0;
    double size = 0;  // of the gradient's part that moves
    bool kinked = false;
  };

  /// 1 and -1 for parameters [from, to), nothing for others.
  std::vector<Values> signs(std::uint64_t stream, std::size_t from, std::size_t to) const {
    Sequence random(17, stream);
    std::vector<Values> direction(step_.names.size());
    for (std::size_t p = from; p < to; ++p)
      for (std::size_t i = 0; i < step_.weights[p].size(); ++i)
        direction[p].push_back(random.below(2) == 0 ? 1 : -1);
    return direction;
  }

  double loss(const std::vector<Values>& direction, double step) const {
    std::vector<Values> weights = step_.weights;
    for (std::size_t p = 0; p < weights.size(); ++p)
      for (std::size_t i = 0; i < direction[p].size(); ++i) weights[p][i] += step * direction[p][i];
    Device f64("reference", reference::table(), std::make_shared<SystemAllocator>(), 1);
    return run_net(f64, one_, batch_, weights, nullptr);
  }

  /// A ReLU or a maximum that changes sides on the way bends the loss by more than a curve does.
  Slope along(const std::vector<Values>& direction) const {
    Slope slope;
    for (std::size_t p = 0; p < direction.size(); ++p)
      for (std::size_t i = 0; i < direction[p].size(); ++i) {
        slope.found += direction[p][i] * step_.gradients[p][i];
        slope.size += std::pow(step_.gradients[p][i], 2);
      }
    constexpr double h = kNetStep;
    const double up = loss(direction, h), down = loss(direction, -h);
    const double half_up = loss(direction, h / 2), half_down = loss(direction, -h / 2);
    slope.expected = (up - down) / (2 * h);
    slope.size = std::max(std::sqrt(slope.size), std::abs(slope.expected));
    const double bend = up - 2 * here_ + down, half_bend = half_up - 2 * here_ + half_down;
    slope.kinked = std::abs(bend - 4 * half_bend) / h > 0.5 * kNetBound * slope.size;
    return slope;
  }

  /// "all of encoder; nothing of decoder, head"
  static std::string common_part(const std::vector<std::string>& wrong,
                                 const std::vector<std::string>& right) {
    if (wrong.empty()) return "";
    const auto has = [](const std::vector<std::string>& names, const char* part) {
      return std::any_of(names.begin(), names.end(),
                         [&](const std::string& name) { return name.starts_with(part); });
    };
    std::vector<std::string> all, none, said;
    for (const char* part : {"encoder", "bottleneck", "decoder", "head"}) {
      if (!has(right, part)) all.emplace_back(part);
      if (!has(wrong, part)) none.emplace_back(part);
    }
    for (const std::string kind : {".weight", ".bias"})
      if (std::all_of(wrong.begin(), wrong.end(),
                      [&](const std::string& name) { return name.ends_with(kind); }))
        said.push_back(fmt::format("every one is a {}", kind.substr(1)));
    if (!all.empty()) said.push_back(fmt::format("all of {}", fmt::join(all, ", ")));
    if (!none.empty()) said.push_back(fmt::format("nothing of {}", fmt::join(none, ", ")));
    return fmt::format("{}", fmt::join(said, "; "));
  }

  NetCase one_;
  NetBatch batch_;
  Step step_;
  double here_ = 0;  // the loss in float64
};

}  // namespace

std::string NetCase::name() const {
  return fmt::format("depth-{} batch-{} {} {}-norm", config.depth, batch, name_of(config.up),
                     config.norm == nn::NormKind::none ? "no" : nn::name_of(config.norm));
}

std::vector<NetCase> net_cases(std::span<const std::string> words) {
  std::vector<NetCase> all;
  for (const std::int64_t depth : {2, 4})
    for (const std::int64_t batch : {1, 3})
      for (const UpPath up : {UpPath::transpose, UpPath::upsample})
        for (const nn::NormKind norm :
             {nn::NormKind::batch, nn::NormKind::group, nn::NormKind::none})
          all.push_back({{.base_width = 2, .depth = depth, .norm = norm, .up = up}, batch});
  for (const std::string& word : words) {
    const auto has = [&](const NetCase& one) {
      return (" " + one.name() + " ").find(" " + word + " ") != std::string::npos;
    };
    check(std::any_of(all.begin(), all.end(), has),
          "--net: found '{}', expected some of depth-2, depth-4, batch-1, batch-3, transpose, "
          "upsample, batch-norm, group-norm, no-norm, one of a kind",
          word);
    std::erase_if(all, [&](const NetCase& one) { return !has(one); });
  }
  return all;
}

NetRow check_net(const NetCase& one, const KernelTable& kernels) {
  for (int start = 0;; ++start) {
    const NetJudge judge(one, kernels, static_cast<std::uint64_t>(start));
    NetRow row = judge.row();
    row.starts = start + 1;
    const bool last = row.starts == kMostStarts;
    if (!row.right() && (last || row.directions == 0)) judge.name_wrong(row);
    if (row.right() || last) return row;
  }
}

}  // namespace glia::test
