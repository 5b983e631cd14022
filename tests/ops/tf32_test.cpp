// Convolutions in tf32 on tensor cores, by every tile; and what is rounded.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>

#include "engine/ops/ops.h"
#include "engine/runtime/open_device.h"
#include "tests/catch.h"
#include "benchmarks/judge/devices.h"
#include "tests/ops/op_case.h"
#include "benchmarks/judge/tolerance.h"

namespace glia::test {

namespace {

// Of kernels/cuda/conv/conv_choice.h, which builds without GPU kernels do not have.
constexpr int kTiles = 5;

/// With `tile`, and the sums in parts where it is the choice's own, -1.
Case on_tile(Case test, int tile) {
  test.tf32 = true;
  test.condition = kTruncationCondition;
  test.gpu_conv = {.algorithm = ConvAlgorithm::mma, .tile = tile, .splits = tile < 0 ? 3 : 0};
  return test;
}

/// Each case with one tile, in turn.
void check_in_turn(std::vector<Case> cases) {
  int tile = -1;
  for (Case& test : cases) {
    test = on_tile(test, tile);
    test.text += fmt::format(", tile {}", tile);
    tile = tile == kTiles - 1 ? -1 : tile + 1;
  }
  check_cases_on_gpu_kernels(cases);
}

std::unique_ptr<Device> open_in_tf32(const KernelTable& kernels) {
  auto device = std::make_unique<Device>("guarded", kernels, guarded_memory(kernels), 1);
  device->context().precision = ConvPrecision::tf32;
  return device;
}

/// x through a convolution whose weight is the identity: what a kernel rounds it to.
std::vector<float> passed_through(Device& device, const std::vector<float>& x) {
  constexpr std::int64_t kChannels = 8;
  const auto pixels = static_cast<std::int64_t>(x.size()) / kChannels;
  std::vector<float> identity(kChannels * kChannels);
  for (std::size_t i = 0; i < kChannels; ++i) identity[i * kChannels + i] = 1;
  Tape tape(device, Tape::Mode::off);
  return ops::conv2d(tape, Tensor::from<float>(device, {1, 1, pixels, kChannels}, x),
                     Tensor::from<float>(device, {kChannels, 1, 1, kChannels}, identity), {}, {})
      .to_vector<float>();
}

}  // namespace

TEST_CASE("tf32: conv2d, windows, strides and paddings", "[ops]") {
  check_in_turn(cases::find("conv2d.tf32-windows"));
}

TEST_CASE("tf32: conv2d, channels around fragments, slices and tiles", "[ops]") {
  check_in_turn(cases::find("conv2d.tf32-channels"));
}

TEST_CASE("tf32: conv2d, rings of slices and splits of the sums", "[ops]") {
  check_in_turn(cases::find("conv2d.tf32-large"));
}

TEST_CASE("tf32: conv2d by patches of its input", "[ops]") {
  std::vector<Case> cases = cases::find("conv2d.patches");
  int tile = 0;
  for (Case& test : cases) {
    test = on_tile(test, tile);
    test.gpu_conv.algorithm = ConvAlgorithm::halo;
    test.text += fmt::format(", tile {}", tile);
    tile = tile == 0 ? 3 : tile == 3 ? -1 : 0;
  }
  check_cases_on_gpu_kernels(cases);
}

TEST_CASE("tf32: conv_transpose2d", "[ops]") {
  check_in_turn(cases::find("conv_transpose2d.tf32"));
}

TEST_CASE("tf32: operands are rounded to the nearest of ten bits", "[ops]") {
  const float inf = std::numeric_limits<float>::infinity();
  for (const KernelTable* kernels : devices_under_test()) {
    if (!is_our_gpu(*kernels)) continue;
    const auto device = open_in_tf32(*kernels);
    // One pixel each, since what is not finite would spread over its other channels.
    const auto rounded = [&](float x) {
      return passed_through(*device, {x, 0, 0, 0, 0, 0, 0, 0})[0];
    };
    CHECK(rounded(1) == 1);
    CHECK(rounded(1 + 0x1p-10f) == 1 + 0x1p-10f);
    CHECK(rounded(1 + 0x1p-11f - 0x1p-20f) == 1);
    CHECK(rounded(1 + 0x1p-11f + 0x1p-20f) == 1 + 0x1p-10f);
    CHECK(rounded(-1 - 0x1p-11f - 0x1p-20f) == -1 - 0x1p-10f);
    CHECK(rounded(2 - 0x1p-20f) == 2);
    CHECK(rounded(0x1p-120f) == 0x1p-120f);
    CHECK(std::isinf(rounded(std::numeric_limits<float>::max())));
    CHECK(rounded(inf) == inf);
    // Adding half a unit to their bits would make numbers of these.
    for (const std::uint32_t bits : {0x7FC00000u, 0x7FFFFFFFu, 0xFFFFFFFFu, 0x7F800001u})
      CHECK(std::isnan(rounded(std::bit_cast<float>(bits))));
  }
}

TEST_CASE("tf32: nothing but the operands is rounded", "[ops]") {
  for (const KernelTable* kernels : devices_under_test()) {
    if (!is_our_gpu(*kernels)) continue;
    const auto device = open_in_tf32(*kernels);
    // 1 + 2^-12 is no number of tf32: as a sum of two products it must come out.
    Tape tape(*device, Tape::Mode::off);
    std::vector<float> w(64), b(8, 0x1p-20f);
    w[0] = 1, w[1] = 0x1p-12f;
    const Tensor y = ops::conv2d(
        tape, Tensor::from<float>(*device, {1, 1, 1, 8}, std::vector<float>(8, 1)),
        Tensor::from<float>(*device, {8, 1, 1, 8}, w), Tensor::from<float>(*device, {8}, b), {});
    CHECK(y.to_vector<float>()[0] == 1 + 0x1p-12f + 0x1p-20f);
    CHECK(y.dtype() == DType::f32);
  }
}

}  // namespace glia::test
