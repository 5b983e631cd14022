// batch_norm_relu, and everything that reads what it defers: materialise and materialise_pool,
// conv2d, conv_transpose2d, max_pool2d, concat; and conv2d_moments.
#include <array>

#include "benchmarks/cases/convolutions.h"
#include "benchmarks/cases/of_ranks.h"
#include "engine/ops/ops.h"

namespace glia::cases {

namespace {

using Inputs = std::span<const Tensor>;
/// What is done with the deferred tensor; `more` are the case's inputs after those of the norm.
using Reader = std::function<Tensor(Tape&, const Tensor& deferred, Inputs more, const Tensor& out)>;

constexpr ConvMethod kMethods[] = {ConvMethod::direct, ConvMethod::winograd};

/// Inputs: x, gamma, beta, running mean and variance, and those of the reader.
Case deferred_case(std::string text, bool training, const Shape& x, const Reader& read,
                   std::vector<Input> more = {}) {
  const std::int64_t c = x.channels();
  const auto rows = static_cast<double>(x.numel() / c);
  Case test{
      .op = "batch_norm_relu",
      .text = fmt::format("{} of {} x {}", text, training ? "training" : "evaluation", x.str()),
      .inputs = {{.shape = x, .length = rows, .min_nonzero = training ? 0.5 : 0.2},
                 {.shape = {c}, .low = 0.5, .high = 2, .image = false, .length = rows},
                 {.shape = {c}, .image = false, .length = rows},
                 {.shape = {c}, .grad = false, .image = false},
                 {.shape = {c}, .low = 0.5, .high = 2, .grad = false, .image = false}},
      .build =
          [training, read](Tape& tape, Inputs in, const Tensor& out) {
            const ops::BatchNormState state{.running_mean = in[3], .running_var = in[4]};
            const Tensor y =
                ops::batch_norm_relu(tape, {.y = in[0]}, in[1], in[2], state, training);
            return read(tape, y, in.subspan(5), out);
          },
      .length = rows,
      .takes_out = true};
  for (Input& input : more) test.inputs.push_back(std::move(input));
  if (training) test.updated = {3, 4};
  return test;
}

Tensor stored(Tape& tape, const Tensor& x, Inputs, const Tensor& out) {
  return ops::materialise(tape, x, out);
}

/// A convolution after the norm adds up more terms.
Case deferred_conv_case(bool training, const Shape& x, std::int64_t k, ConvMethod method,
                        const ConvSpec& spec = same(3, 3)) {
  const Shape w{k, 3, 3, x[3]};
  Case test = deferred_case(
      fmt::format("conv2d to {} channels", k), training, x,
      [spec](Tape& tape, const Tensor& y, Inputs more, const Tensor& out) {
        return ops::conv2d(tape, y, more[0], {}, spec, out);
      },
      {{.shape = w, .image = false, .length = static_cast<double>(x.numel() / x[3])}});
  test.conv = method;
  test.length += 9 * static_cast<double>(x[3]);
  test.inputs[0].length += 9 * static_cast<double>(k);
  test.samples = training ? 6 : 24;
  return test;
}

std::vector<Case> deferred_materialised() {
  std::vector<Case> cases;
  for (const bool training : {true, false})
    for (const Shape& x : {Shape{2, 3, 5, 3}, Shape{3, 5, 4, 17}, Shape{1, 7, 3, 32},
                           Shape{2, 3, 3, 70}, Shape{2, 33, 31, 16}})
      cases.push_back(deferred_case("materialise", training, x, stored));
  return cases;
}

std::vector<Case> deferred_operands() {
  std::vector<Case> cases;
  for (const bool training : {true, false})
    for (const bool image : {true, false}) {
      Case& test = cases.emplace_back(deferred_case("materialise", training, {2, 4, 5, 3}, stored));
      test.inputs[0].grad = image;
      test.inputs[1].grad = test.inputs[2].grad = !image;
    }
  return cases;
}

std::vector<Case> deferred_pooled() {
  std::vector<Case> cases;
  for (const Shape& x : {Shape{2, 4, 6, 3}, Shape{1, 7, 5, 17}, Shape{2, 6, 9, 32}}) {
    cases.push_back(deferred_case("materialise_pool, pooled", true, x,
                                  [](Tape& tape, const Tensor& y, Inputs, const Tensor&) {
                                    return ops::materialise_pool(tape, y).pooled;
                                  }));
    cases.back().takes_out = false;
    cases.push_back(deferred_case("materialise_pool", true, x,
                                  [](Tape& tape, const Tensor& y, Inputs, const Tensor& out) {
                                    const ops::Pooled both = ops::materialise_pool(tape, y, out);
                                    return both.y;
                                  }));
    // Both results count: the pooled one enlarged again, where sizes are even.
    if (x[1] % 2 == 0 && x[2] % 2 == 0) {
      cases.push_back(deferred_case(
          "materialise_pool, sum", true, x,
          [](Tape& tape, const Tensor& y, Inputs, const Tensor& out) {
            const ops::Pooled both = ops::materialise_pool(tape, y);
            return ops::add(tape, both.y, ops::upsample_nearest2d(tape, both.pooled), out);
          }));
    }
  }
  return cases;
}

std::vector<Case> deferred_max_pool2d() {
  std::vector<Case> cases;
  for (const bool training : {true, false})
    for (const Shape& x : {Shape{2, 4, 6, 3}, Shape{1, 7, 5, 17}})
      cases.push_back(deferred_case("max_pool2d", training, x,
                                    [](Tape& tape, const Tensor& y, Inputs, const Tensor& out) {
                                      return ops::max_pool2d(tape, y, 2, 2, out);
                                    }));
  for (Case& test : cases) test.inputs[0].min_nonzero = 0.05;
  return cases;
}

std::vector<Case> deferred_conv2d() {
  std::vector<Case> cases;
  for (const ConvMethod method : kMethods)
    for (const bool training : {true, false}) {
      cases.push_back(deferred_conv_case(training, {2, 9, 6, 3}, 16, method));
      cases.push_back(deferred_conv_case(training, {1, 13, 14, 20}, 36, method));
      cases.push_back(
          deferred_conv_case(training, {1, 9, 7, 32}, 16, method, {.padding = {0, 2, 1, 0}}));
      // By blocks of channels. Of so many values one is next to the kink of the ReLU, where
      // differences of x, gamma and beta say nothing.
      cases.push_back(deferred_conv_case(training, {2, 5, 6, 136}, 130, method));
      for (std::size_t i = 0; i < 3; ++i) cases.back().inputs[i].grad = false;
      cases.back().samples = 4;  // of a reference that is slow
    }
  return cases;
}

std::vector<Case> deferred_conv2d_windows() {
  std::vector<Case> cases;
  cases.push_back(deferred_conv_case(true, {2, 9, 6, 16}, 4, ConvMethod::direct, strided(2, 2, 1)));
  for (const std::int64_t k : {1, 17})
    cases.push_back(deferred_case(fmt::format("conv2d of 1x1 to {} channels", k), true,
                                  {2, 6, 5, 32},
                                  [](Tape& tape, const Tensor& y, Inputs more, const Tensor& out) {
                                    return ops::conv2d(tape, y, more[0], more[1], {}, out);
                                  },
                                  {{.shape = {k, 1, 1, 32}, .image = false, .length = 60},
                                   {.shape = {k}, .image = false, .length = 60}}));
  return cases;
}

std::vector<Case> deferred_conv_transpose2d() {
  std::vector<Case> cases;
  for (const auto& [x, k] : {std::pair(Shape{2, 3, 5, 6}, 4), std::pair(Shape{1, 6, 7, 32}, 16),
                             std::pair(Shape{1, 3, 4, 17}, 33)}) {
    cases.push_back(deferred_case(
        fmt::format("conv_transpose2d to {} channels", k), true, x,
        [](Tape& tape, const Tensor& y, Inputs more, const Tensor& out) {
          return ops::conv_transpose2d(tape, y, more[0], more[1], strided(2, 2, 0), out);
        },
        {{.shape = {x[3], 2, 2, k}, .image = false, .length = static_cast<double>(x.numel())},
         {.shape = {k}, .image = false, .length = 4.0 * static_cast<double>(x.numel())}}));
    cases.back().length += static_cast<double>(x[3]);
    cases.back().inputs[0].length += 4.0 * static_cast<double>(k);
  }
  return cases;
}

std::vector<Case> deferred_concat() {
  // The inputs x (before the norm) and z lie side by side in one buffer, as a skip connection does.
  std::vector<Case> cases;
  for (const bool first : {true, false}) {
    Case& test = cases.emplace_back(deferred_case(
        fmt::format("concat, deferred {}", first ? "first" : "last"), true, {2, 4, 6, 5}, stored,
        {{.shape = {2, 4, 6, 3}, .linear = true},
         {.shape = {7, 3, 3, 8}, .image = false, .length = 48}}));
    test.build = [first](Tape& tape, Inputs in, const Tensor& out) {
      const ops::BatchNormState state{.running_mean = in[3], .running_var = in[4]};
      const Tensor wide = Tensor::empty(tape.device(), {2, 4, 6, 8}, in[0].dtype());
      const Tensor x = ops::scale(tape, in[0], 1, wide.channels(first ? 0 : 3, 5));
      const Tensor z = ops::scale(tape, in[5], 1, wide.channels(first ? 5 : 0, 3));
      const Tensor y = ops::batch_norm_relu(tape, {.y = x}, in[1], in[2], state, true);
      const Tensor all =
          first ? ops::concat(tape, std::array{y, z}) : ops::concat(tape, std::array{z, y});
      return ops::conv2d(tape, all, in[6], {}, same(3, 3), out);
    };
    test.length += 72;
    test.inputs[0].length += 63;
    test.inputs[5].length = 63;
    test.conv = ConvMethod::direct;
  }
  return cases;
}

Case moments_case(ConvMethod method, const Shape& x, std::int64_t k) {
  const auto terms = static_cast<double>(9 * x[3]);
  const auto rows = static_cast<double>(x[0] * x[1] * x[2]);
  Case test{.op = "batch_norm_relu",
            .text = fmt::format("moments of conv2d {} to {} channels", x.str(), k),
            .inputs = {{.shape = x, .length = rows + static_cast<double>(9 * k)},
                       {.shape = {k, 3, 3, x[3]}, .image = false, .length = rows},
                       {.shape = {k}, .image = false, .length = rows},
                       {.shape = {k}, .low = 0.5, .high = 2, .image = false, .length = rows},
                       {.shape = {k}, .image = false, .length = rows},
                       {.shape = {k}, .grad = false},
                       {.shape = {k}, .low = 0.5, .high = 2, .grad = false}},
            .build =
                [](Tape& tape, Inputs in, const Tensor& out) {
                  const ops::BatchNormState state{.running_mean = in[5], .running_var = in[6]};
                  const ops::WithMoments y =
                      ops::conv2d_moments(tape, in[0], in[1], in[2], same(3, 3));
                  return ops::materialise(
                      tape, ops::batch_norm_relu(tape, y, in[3], in[4], state, true), out);
                },
            .length = rows + terms,
            .takes_out = true,
            .updated = {5, 6},
            .samples = static_cast<std::size_t>(x[3] > 100 ? 2 : 6),
            .conv = method};
  test.inputs[1].grad = x[1] > 1;  // else most weights meet no pixel
  test.inputs[2].grad = false;     // the norm takes the bias out again: its gradient is rounding
  return test;
}

std::vector<Case> deferred_moments() {
  std::vector<Case> cases;
  for (const ConvMethod method : kMethods) {
    cases.push_back(moments_case(method, {2, 9, 6, 3}, 16));
    cases.push_back(moments_case(method, {2, 33, 30, 8}, 20));
    cases.push_back(moments_case(method, {1, 5, 6, 136}, 130));
    cases.push_back(moments_case(method, {1, 4, 4, 3}, 5));
    // Rows so long that the direct kernel takes a slice of channels at a time.
    cases.push_back(moments_case(method, {1, 1, 290, 160}, 2));
  }
  return cases;
}

/// The sums and what is made of them are kernels apart, as where ranks add them up in between.
std::vector<Case> deferred_of_ranks() {
  std::vector<Case> cases;
  for (const Shape& x :
       {Shape{2, 3, 5, 3}, Shape{3, 5, 4, 17}, Shape{1, 7, 3, 32}, Shape{2, 33, 31, 16}})
    cases.push_back(of_ranks(deferred_case("materialise", true, x, stored)));
  cases.push_back(of_ranks(deferred_case("materialise", true, {2, 4, 5, 3}, stored)));
  cases.back().inputs[0].grad = false;
  return cases;
}

std::vector<Case> batch_norm_relu_at(const Dimensions& d) {
  std::vector<Case> cases{deferred_case("materialise", true, d.shape, stored),
                          deferred_case("materialise", false, d.shape, stored),
                          of_ranks(deferred_case("materialise", true, d.shape, stored))};
  cases[0].name = "training";
  cases[1].name = "evaluation";
  cases[2].name = "ranks";
  return cases;
}

}  // namespace

Operation batch_norm_relu_operation() {
  return {
      .name = "batch_norm_relu",
      .at = batch_norm_relu_at,
      .groups = {
          {"materialised", "then materialise", deferred_materialised},
          {"operands", "gradients of only the image or only the parameters", deferred_operands},
          {"pooled", "then materialise_pool, and images of odd size", deferred_pooled},
          {"max_pool2d", "then max_pool2d", deferred_max_pool2d},
          {"conv2d", "then conv2d", deferred_conv2d},
          {"conv2d-windows", "then conv2d of one pixel or with strides", deferred_conv2d_windows},
          {"conv_transpose2d", "then conv_transpose2d", deferred_conv_transpose2d},
          {"concat", "joined with another tensor, then conv2d", deferred_concat},
          {"moments", "of the moments that conv2d gives", deferred_moments},
          {"ranks", "of several ranks: sums by themselves", deferred_of_ranks}}};
}

}  // namespace glia::cases
