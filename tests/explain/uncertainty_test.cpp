// Monte-Carlo dropout of one dropout layer: a pixel is either dropped or not, so its probability
// has two values. Flips of a network that looks to one side: two answers, each twice.
#include "engine/explain/uncertainty.h"

#include <algorithm>
#include <cmath>

#include "engine/train/inference.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/explain/small_net.h"

using namespace glia;
using glia::test::constant;
using glia::test::SmallNet;

namespace {

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

/// Every pixel's logit is that of its left neighbour.
Tensor look_left(nn::Pass& pass, const Tensor& x) {
  const Tensor w = constant(x.device(), {1, 1, 3, 1}, {1, 0, 0});
  return ops::conv2d(pass.tape, x, w, {},
                     {.padding = {.top = 0, .bottom = 0, .left = 1, .right = 1}});
}

}  // namespace

TEST_CASE("mc-dropout: each pixel takes two values, in the expected shares", "[explain]") {
  const auto cpu = make_cpu_device(2);
  constexpr double kDrop = 0.3, kLogit = 1.4;
  SmallNet net(1, [](nn::Pass& pass, const Tensor& x) {
    return pass.dropout ? ops::dropout(pass.tape, x, kDrop, pass.seed, 0, {}, pass.step)
                        : ops::scale(pass.tape, x, 1);
  });
  constexpr std::int64_t kSamples = 25, kSide = 64;
  const Tensor image =
      constant(*cpu, {1, kSide, kSide, 1}, std::vector<float>(kSide * kSide, kLogit));
  const explain::Spread spread = explain::dropout_spread(*cpu, net, image, kSamples, 9);

  const double dropped = sigmoid(0), kept = sigmoid(kLogit / (1 - kDrop));
  double total = 0;
  for (std::size_t i = 0; i < spread.mean.size(); ++i) {
    const double share = (spread.mean[i] - dropped) / (kept - dropped);
    const double count = share * kSamples;
    REQUIRE(count == Approx(std::round(count)).margin(1e-3));
    REQUIRE(spread.deviation[i] ==
            Approx((kept - dropped) * std::sqrt(share * (1 - share))).margin(1e-5));
    total += share;
  }
  // Five standard deviations of a binomial distribution over all pixels and samples.
  const double draws = kSamples * kSide * kSide;
  CHECK(std::abs(total / (kSide * kSide) - (1 - kDrop)) <
        5 * std::sqrt(kDrop * (1 - kDrop) / draws));

  CHECK(explain::dropout_spread(*cpu, net, image, kSamples, 9).mean == spread.mean);
  CHECK(explain::dropout_spread(*cpu, net, image, kSamples, 10).mean != spread.mean);
  CHECK(error_of([&] { explain::dropout_spread(*cpu, net, image, 1, 0); }) ==
        "--samples: found 1, expected 2 or more");
}

TEST_CASE("mc-dropout: the U-Net's dropout acts, its statistics stay", "[explain]") {
  const auto cpu = make_cpu_device(2);
  const auto spread_of = [&](double dropout) {
    UNet net({.base_width = 4, .depth = 1, .dropout = dropout});
    net.parameters().allocate(*cpu, 1);
    const Tensor image = constant(*cpu, {1, 8, 8, 3}, std::vector<float>(8 * 8 * 3, 0.7f));
    const auto before = net.parameters().buffers().front().value.to_vector<float>();
    const explain::Spread spread = explain::dropout_spread(*cpu, net, image, 4, 0);
    CHECK(net.parameters().buffers().front().value.to_vector<float>() == before);
    return *std::max_element(spread.deviation.begin(), spread.deviation.end());
  };
  CHECK(spread_of(0.5) > 1e-4);
  CHECK(spread_of(0) == 0);
}

TEST_CASE("flips: a network that looks left disagrees with its mirror image", "[explain]") {
  const auto cpu = make_cpu_device(1);
  SmallNet net(1, look_left);
  // Two rows of three; the neighbour beyond the edge is 0.
  const std::vector<float> x = {1, -2, 4, 0, 3, 5};
  const std::vector<float> left = {0, 1, -2, 0, 0, 3}, right = {-2, 4, 0, 3, 5, 0};
  const Tensor image = constant(*cpu, {1, 2, 3, 1}, x);
  const explain::Spread spread = explain::flip_spread(*cpu, net, image);
  const auto averaged = infer_logits(*cpu, net, image, true).to_vector<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double a = sigmoid(left[i]), b = sigmoid(right[i]);
    CHECK(spread.mean[i] == Approx((a + b) / 2));
    CHECK(spread.deviation[i] == Approx(std::abs(a - b) / 2).margin(1e-7));
    CHECK(averaged[i] == Approx((left[i] + right[i]) / 2));
  }
  CHECK(infer_logits(*cpu, net, image, false).to_vector<float>() == left);
}

TEST_CASE("flips: every flip of every image of a batch comes back in place", "[explain]") {
  const auto cpu = make_cpu_device(1);
  SmallNet net(1, [](nn::Pass& pass, const Tensor& x) { return ops::scale(pass.tape, x, 2); });
  std::vector<float> x;
  for (int i = 0; i < 2 * 3 * 5; ++i) x.push_back(static_cast<float>(i * i % 17));
  std::vector<float> twice;
  for (float v : x) twice.push_back(2 * v);
  const auto all = flip_logits(*cpu, net, constant(*cpu, {2, 3, 5, 1}, x));
  REQUIRE(all.size() == 4);
  for (const auto& logits : all) CHECK(logits == twice);
}
