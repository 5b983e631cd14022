// Grad-CAM and saliency on networks whose answers follow from the formula by hand.
#include "engine/explain/gradients.h"

#include <algorithm>

#include "engine/base/rng.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/explain/small_net.h"

using namespace glia;
using glia::test::constant;
using glia::test::SmallNet;

namespace {

std::vector<float> noise(std::int64_t count, std::uint64_t seed) {
  Sequence random(seed, 0);
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(random.normal()));
  return values;
}

}  // namespace

TEST_CASE("grad-cam: two channels, one for and one against", "[explain]") {
  const auto cpu = make_cpu_device(1);
  // A = x with two channels, logit = 2 A_0 - A_1: the gradient is (2, -1) on the region.
  const Tensor w = constant(*cpu, {1, 1, 1, 2}, {2, -1});
  SmallNet net(2, [&](nn::Pass& pass, const Tensor& x) {
    const Tensor a = ops::scale(pass.tape, x, 1);
    return ops::conv2d(pass.tape, pass.note("features", a), w, {}, test::kPointwise);
  });
  // Four pixels (A_0, A_1); the region is the first and the last.
  const std::vector<float> x = {1, 0, 0, 4, 3, 1, 5, 20};
  const explain::Subject subject{*cpu, net, constant(*cpu, {1, 2, 2, 2}, x), {1, 0, 0, 1}};
  // a = (2, -1) * 2 pixels of 4 = (1, -0.5); the map is ReLU(A_0 - A_1 / 2).
  CHECK(explain::grad_cam(subject, "features") == std::vector<float>{1, 0, 2.5f, 0});
  CHECK(error_of([&] { explain::grad_cam(subject, "bottleneck"); }) ==
        "--layer: found 'bottleneck', this network has: features");
}

TEST_CASE("grad-cam: a layer of half the size is enlarged", "[explain]") {
  const auto cpu = make_cpu_device(1);
  const Tensor w = constant(*cpu, {1, 1, 1, 1}, {3});
  SmallNet net(1, [&](nn::Pass& pass, const Tensor& x) {
    const Tensor a = pass.note("deep", ops::max_pool2d(pass.tape, x));
    return ops::conv2d(pass.tape, ops::upsample_nearest2d(pass.tape, a, 2), w, {},
                       test::kPointwise);
  });
  // One row of two blocks with maxima 8 and 0. The region has 3 pixels of 8 in the first block.
  const std::vector<float> x = {1, 8, 0, 0, 2, 3, -1, 0};
  const explain::Subject subject{
      *cpu, net, constant(*cpu, {1, 2, 4, 1}, x), {1, 1, 0, 0, 1, 0, 0, 0}};
  // The gradient is (9, 0), its mean 4.5, the map (36, 0); between pixel centres it is linear.
  CHECK(explain::grad_cam(subject, "deep") == std::vector<float>{36, 27, 9, 0, 36, 27, 9, 0});
}

TEST_CASE("grad-cam: the gradient of each of the U-Net's layers reaches it", "[explain]") {
  const auto cpu = make_cpu_device(2);
  UNet net({.base_width = 4, .depth = 2});
  net.parameters().allocate(*cpu, 5);
  const explain::Subject subject{*cpu, net, constant(*cpu, {1, 16, 12, 3}, noise(16 * 12 * 3, 1)),
                                 std::vector<float>(16 * 12, 1)};
  for (const char* layer : {"encoder.0", "encoder.1", "bottleneck", "decoder.1", "decoder.0"}) {
    CAPTURE(layer);
    Tape tape(*cpu);
    nn::Probe probe(layer);
    nn::Pass pass{.tape = tape, .probe = &probe};
    {
      const nn::Frozen frozen(net.parameters());
      tape.backward(net.forward(pass, subject.image), subject.logits_gradient());
    }
    CHECK(probe.value().grad().shape() == probe.value().shape());
    const auto gradient = probe.value().grad().to_vector<float>();
    CHECK(std::any_of(gradient.begin(), gradient.end(), [](float g) { return g != 0; }));
    CHECK(explain::grad_cam(subject, layer).size() == 16 * 12);
  }
  CHECK(error_of([&] {
          explain::grad_cam(subject, "encoder.2");
        }).find("encoder.0, encoder.1, bottleneck, decoder.1, decoder.0") != std::string::npos);
  // What was frozen learns again, and its gradients were left alone.
  CHECK(net.parameters().parameters().front().value.wants_grad());
  for (const auto& p : net.parameters().parameters()) CHECK(!p.value.grad_written());
}

TEST_CASE("grad-cam: what a layer gives is the network's own activation", "[explain]") {
  // decoder.0 is what the head sees, so the head's weights are the gradient of every pixel.
  const auto cpu = make_cpu_device(1);
  UNet net({.base_width = 4, .depth = 1});
  net.parameters().allocate(*cpu, 3);
  const Tensor image = constant(*cpu, {1, 8, 8, 3}, noise(8 * 8 * 3, 2));
  Tape off(*cpu, Tape::Mode::off);
  nn::Probe probe("decoder.0");
  nn::Pass pass{.tape = off, .probe = &probe};
  net.forward(pass, image);
  const auto a = probe.value().to_vector<float>();
  const auto w =
      std::find_if(net.parameters().parameters().begin(), net.parameters().parameters().end(),
                   [](const auto& p) { return p.name == "head.weight"; })
          ->value.to_vector<float>();
  std::vector<float> expected;
  for (std::size_t p = 0; p < 64; ++p) {
    float sum = 0;
    for (std::size_t k = 0; k < 4; ++k) sum += w[k] * 16 / 64 * a[4 * p + k];
    expected.push_back(std::max(sum, 0.0f));
  }
  std::vector<float> region(64);
  std::fill_n(region.begin() + 20, 16, 1.0f);
  const auto map = explain::grad_cam({*cpu, net, image, region}, "decoder.0");
  for (std::size_t i = 0; i < map.size(); ++i) CHECK(map[i] == Approx(expected[i]).margin(1e-6));
}

TEST_CASE("saliency: a convolution's answer is its window", "[explain]") {
  const auto cpu = make_cpu_device(1);
  // Two input channels; the second one's weights are larger everywhere but in the middle.
  const std::vector<float> window = {1,  10, -2, 20, 3,  30, 4,   -40, 500,
                                     50, -6, 60, 7,  70, 8,  -80, 9,   90};
  const Tensor w = constant(*cpu, {1, 3, 3, 2}, window);
  SmallNet net(2, [&](nn::Pass& pass, const Tensor& x) {
    return ops::conv2d(pass.tape, x, w, {}, {.padding = Padding::all(1)});
  });
  std::vector<float> region(25);
  region[12] = 1;  // the middle of 5 x 5
  const Tensor image = constant(*cpu, {1, 5, 5, 2}, noise(50, 3));
  const auto map = explain::saliency({*cpu, net, image, region});
  // logit(2, 2) = sum of w[r][s] x[2 + r - 1][2 + s - 1].
  CHECK(map == std::vector<float>{0, 0,  0,   0,  0,  //
                                  0, 10, 20,  30, 0,  //
                                  0, 40, 500, 60, 0,  //
                                  0, 70, 80,  90, 0,  //
                                  0, 0,  0,   0,  0});
  CHECK(!image.wants_grad());
}

TEST_CASE("saliency: the square's gradient is twice the image, on the region alone", "[explain]") {
  const auto cpu = make_cpu_device(1);
  SmallNet net(1, [](nn::Pass& pass, const Tensor& x) { return ops::mul(pass.tape, x, x); });
  const std::vector<float> x = {1, -2, 3, 0.5f};
  CHECK(explain::saliency({*cpu, net, constant(*cpu, {1, 2, 2, 1}, x), {1, 1, 0, 1}}) ==
        std::vector<float>{2, 4, 0, 1});
}

TEST_CASE("resize: linear between pixel centres, constant beyond", "[explain]") {
  CHECK(explain::resize_bilinear({0, 1}, 1, 2, 1, 4) == std::vector<float>{0, 0.25f, 0.75f, 1});
  CHECK(explain::resize_bilinear({1, 2, 3, 4}, 2, 2, 2, 2) == std::vector<float>{1, 2, 3, 4});
  CHECK(explain::resize_bilinear({7}, 1, 1, 2, 2) == std::vector<float>(4, 7));
  CHECK(explain::resize_bilinear({0, 4, 8, 12}, 4, 1, 2, 1) == std::vector<float>{2, 10});
}
