// Occlusion of a linear network: hiding a pixel costs its weight times its distance from the mean.
#include "engine/explain/occlusion.h"

#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/explain/small_net.h"

using namespace glia;
using glia::test::constant;
using glia::test::SmallNet;

namespace {}  // namespace

TEST_CASE("occlusion: pixel by pixel, weight times distance from the channel's mean", "[explain]") {
  const auto cpu = make_cpu_device(1);
  const Tensor w = constant(*cpu, {1, 1, 1, 2}, {3, -1}), b = constant(*cpu, {1}, {7});
  SmallNet net(2, [&](nn::Pass& pass, const Tensor& x) {
    return ops::conv2d(pass.tape, x, w, b, test::kPointwise);
  });
  // Means: 2 in channel 0, 10 in channel 1.
  const std::vector<float> x = {0, 10, 4, 10, 2, 18, 2, 2};
  const explain::Subject subject{*cpu, net, constant(*cpu, {1, 2, 2, 2}, x), {1, 1, 1, 0}};
  // 3 (x_0 - 2) - (x_1 - 10) where the region is, nothing where it is not.
  CHECK(explain::occlusion(subject, {.patch = 1, .stride = 1, .batch = 3}) ==
        std::vector<float>{-6, 6, -8, 0});
}

TEST_CASE("occlusion: overlapping squares are averaged, the last one ends at the edge",
          "[explain]") {
  const auto cpu = make_cpu_device(1);
  SmallNet net(1, [](nn::Pass& pass, const Tensor& x) { return ops::scale(pass.tape, x, 1); });
  // One row of 5 with mean 0. Squares of 2 columns start at 0, 2 and 3.
  const std::vector<float> x = {1, 2, 3, 4, -10};
  const explain::Subject subject{*cpu, net, constant(*cpu, {1, 1, 5, 1}, x),
                                 std::vector<float>(5, 1)};
  std::int64_t done = 0, all = 0;
  const explain::OcclusionConfig config{
      .patch = 2, .stride = 2, .batch = 2, .progress = [&](std::int64_t n, std::int64_t total) {
        done = n;
        all = total;
      }};
  // Losses 3, 7 and -6; column 3 lies in the last two.
  CHECK(explain::occlusion(subject, config) == std::vector<float>{3, 3, 7, 0.5f, -6});
  CHECK(done == 3);
  CHECK(all == 3);
}

TEST_CASE("occlusion: a patch larger than the image hides all of it", "[explain]") {
  const auto cpu = make_cpu_device(1);
  SmallNet net(1, [](nn::Pass& pass, const Tensor& x) { return ops::mul(pass.tape, x, x); });
  const std::vector<float> x = {1, 3};
  const explain::Subject subject{*cpu, net, constant(*cpu, {1, 1, 2, 1}, x), {1, 1}};
  // 1 + 9 with the image, 4 + 4 with its mean.
  CHECK(explain::occlusion(subject, {}) == std::vector<float>{2, 2});
}

TEST_CASE("occlusion: gaps between squares are refused", "[explain]") {
  const auto cpu = make_cpu_device(1);
  SmallNet net(1, [](nn::Pass& pass, const Tensor& x) { return ops::scale(pass.tape, x, 1); });
  const explain::Subject subject{*cpu, net, Tensor::zeros(*cpu, {1, 2, 2, 1}), {1, 1, 1, 1}};
  CHECK(error_of([&] { explain::occlusion(subject, {.patch = 2, .stride = 3}); }) ==
        "--patch 2 --stride 3: expected 1 <= stride <= patch, so that every pixel is hidden once");
  CHECK(!error_of([&] { explain::occlusion(subject, {.patch = 0, .stride = 0}); }).empty());
}
