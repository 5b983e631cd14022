// Convolutions in bf16, by every unit that this machine has; the portable one is always there.
#include <array>
#include <cmath>
#include <limits>

#include "engine/base/rng.h"
#include "engine/ops/ops.h"
#include "kernels/cpu/conv/bf16_unit.h"
#include "kernels/cpu/conv/conv_choice.h"
#include "kernels/cpu/table.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

namespace {

std::vector<Bf16Choice> units() {
  std::vector<Bf16Choice> choices{Bf16Choice::portable};
  if (cpu::bf16_avx512() != nullptr)
    choices.push_back(Bf16Choice::avx512);
  else
    WARN("this processor has no AVX512-BF16: its kernels are not tested");
  if (cpu::bf16_amx() != nullptr)
    choices.push_back(Bf16Choice::amx);
  else
    WARN("this processor has no AMX: its kernels are not tested");
  return choices;
}

const ConvSpec kPadded{.padding = Padding::all(1)};

void check_all(std::vector<Case> cases) {
  for (const Bf16Choice unit : units()) {
    for (Case& test : cases) test.bf16 = unit;
    INFO(cpu::bf16_unit(unit).name);
    check_cases_on_cpu(cases);
  }
}

/// A call of the convolution's kernels without a tape.
struct Call {
  Device& device;
  Tensor x, w, b, dy;
  ConvGeometry g;

  Call(Device& on, const Shape& x_shape, const Shape& w_shape, const ConvSpec& spec)
      : device(on), g(conv2d_geometry(x_shape, w_shape, spec)) {
    x = random(x_shape, 1);
    w = random(w_shape, 2);
    b = random({g.K}, 3);
    dy = random({g.N, g.P, g.Q, g.K}, 4);
  }
  Tensor random(const Shape& shape, std::uint64_t stream) const {
    Sequence sequence(5, stream);
    std::vector<float> values;
    for (std::int64_t i = 0; i < shape.numel(); ++i)
      values.push_back(static_cast<float>(sequence.uniform(-2, 2)));
    return Tensor::from<float>(device, shape, values);
  }
  static Tensor rounded(Device& device, const Tensor& t) {
    std::vector<float> values = t.to_vector<float>();
    for (float& v : values) v = cpu::float_of(cpu::round_to_bf16(v));
    return Tensor::from<float>(device, t.shape(), values);
  }
  std::vector<float> forward(const Tensor& map = {}, const Tensor& moments = {}) {
    const Tensor y = Tensor::zeros(device, dy.shape());
    cpu::table().conv2d_forward(device.context(),
                                {.geometry = g,
                                 .x = x.view(),
                                 .x_map = map.defined() ? ConstView(map.view()) : ConstView(),
                                 .w = w.view(),
                                 .b = b.view(),
                                 .y = y.view(),
                                 .moments = moments.defined() ? moments.view() : View()});
    return y.to_vector<float>();
  }
  std::vector<float> dgrad() {
    const Tensor dx = Tensor::zeros(device, x.shape());
    cpu::table().conv2d_dgrad(device.context(),
                              {.geometry = g, .dy = dy.view(), .w = w.view(), .dx = dx.view()});
    return dx.to_vector<float>();
  }
  std::vector<float> wgrad(const Tensor& map = {}) {
    const Tensor dw = Tensor::zeros(device, w.shape());
    cpu::table().conv2d_wgrad(device.context(),
                              {.geometry = g,
                               .dy = dy.view(),
                               .x = x.view(),
                               .x_map = map.defined() ? ConstView(map.view()) : ConstView(),
                               .dw = dw.view()});
    return dw.to_vector<float>();
  }
};

void set_bf16(Device& device, Bf16Choice unit) {
  device.context().precision = ConvPrecision::bf16;
  device.context().bf16 = unit;
}

}  // namespace

TEST_CASE("bf16: rounding to the nearest, to even", "[ops]") {
  const auto rounded = [](float x) { return cpu::float_of(cpu::round_to_bf16(x)); };
  CHECK(rounded(1.0f) == 1.0f);
  CHECK(rounded(1 + 0x1p-8f) == 1.0f);             // a tie, down to even
  CHECK(rounded(1 + 3 * 0x1p-8f) == 1 + 0x1p-6f);  // a tie, up to even
  CHECK(rounded(1 + 0x1p-8f + 0x1p-20f) == 1 + 0x1p-7f);
  CHECK(rounded(-1 - 0x1p-8f - 0x1p-20f) == -1 - 0x1p-7f);
  CHECK(std::isinf(rounded(std::numeric_limits<float>::max())));
  CHECK(std::isinf(rounded(std::numeric_limits<float>::infinity())));
  CHECK(std::isnan(rounded(std::numeric_limits<float>::quiet_NaN())));
  CHECK(rounded(std::bit_cast<float>(0x7f800001u)) != 0);  // a NaN of low bits is no infinity
  CHECK(std::isnan(rounded(std::bit_cast<float>(0x7f800001u))));
  CHECK(rounded(std::numeric_limits<float>::denorm_min()) == 0);
}

TEST_CASE("bf16: conv2d, windows, strides and paddings", "[ops]") {
  check_all(cases::find("conv2d.bf16-windows"));
}

TEST_CASE("bf16: conv2d, channels around pairs, tiles and blocks, and pixels around groups",
          "[ops]") {
  check_all(cases::find("conv2d.bf16-channels"));
}

TEST_CASE("bf16: conv2d, images split between threads, slices of channels and many weights",
          "[ops]") {
  check_all(cases::find("conv2d.bf16-threads"));
}

TEST_CASE("bf16: conv_transpose2d", "[ops]") {
  check_all(cases::find("conv_transpose2d.bf16"));
}

TEST_CASE("bf16: both operands are rounded, and nothing else", "[ops]") {
  const auto device = make_cpu_device(2);
  Call call(*device, {2, 9, 20, 37}, {21, 3, 3, 37}, kPadded);
  const auto fp32 = call.forward();
  for (const Bf16Choice unit : units()) {
    set_bf16(*device, unit);
    INFO(cpu::bf16_unit(unit).name);
    Call exact = call;
    exact.x = Call::rounded(*device, call.x);
    exact.w = Call::rounded(*device, call.w);
    exact.dy = Call::rounded(*device, call.dy);
    CHECK(call.forward() == exact.forward());
    CHECK(call.dgrad() == exact.dgrad());
    CHECK(call.wgrad() == exact.wgrad());
    CHECK(call.forward() != fp32);
  }
}

TEST_CASE(
    "bf16: a map is applied before rounding, with the bits of a tensor that it was written to",
    "[ops]") {
  const auto device = make_cpu_device(2);
  for (const std::int64_t channels : {3, 37, 64}) {
    Call call(*device, {2, 9, 20, channels}, {21, 3, 3, channels}, kPadded);
    std::vector<float> rows;
    Sequence sequence(9, 0);
    for (std::int64_t i = 0; i < 2 * channels; ++i)
      rows.push_back(static_cast<float>(sequence.uniform(-1, 2)));
    rows.insert(rows.end(), static_cast<std::size_t>(channels), 0.0f);
    const Tensor map = Tensor::from<float>(*device, {3, channels}, rows);
    Call written = call;
    written.x = Tensor::zeros(*device, call.x.shape());
    cpu::table().materialise(device->context(),
                             {.x = call.x.view(), .map = map.view(), .y = written.x.view()});
    for (const Bf16Choice unit : units()) {
      set_bf16(*device, unit);
      INFO(cpu::bf16_unit(unit).name);
      CHECK(call.forward(map) == written.forward());
      CHECK(call.wgrad(map) == written.wgrad());
      CHECK(call.forward(map) != call.forward());
    }
  }
}

TEST_CASE("bf16: moments are those of the result", "[ops]") {
  const auto device = make_cpu_device(2);
  for (const Bf16Choice unit : units()) {
    set_bf16(*device, unit);
    Call call(*device, {3, 13, 18, 20}, {35, 3, 3, 20}, kPadded);
    const Tensor moments = Tensor::empty(*device, {2, 35}, DType::f64);
    const std::vector<float> y = call.forward({}, moments);
    const std::vector<double> found = moments.to_vector<double>();
    for (std::size_t k = 0; k < 35; ++k) {
      double sum = 0, squares = 0;
      for (std::size_t i = k; i < y.size(); i += 35) sum += y[i];
      const double mean = sum / static_cast<double>(y.size() / 35);
      for (std::size_t i = k; i < y.size(); i += 35) squares += (y[i] - mean) * (y[i] - mean);
      CHECK(found[k] == Approx(mean).epsilon(1e-5).margin(1e-5));
      CHECK(found[35 + k] == Approx(squares).epsilon(1e-5));
    }
  }
}

TEST_CASE("bf16: units agree but for the order of sums", "[ops]") {
  const auto device = make_cpu_device(2);
  Call call(*device, {1, 7, 33, 50}, {40, 3, 3, 50}, kPadded);
  set_bf16(*device, Bf16Choice::portable);
  const auto expected = call.forward();
  for (const Bf16Choice unit : units()) {
    set_bf16(*device, unit);
    const auto found = call.forward();
    double worst = 0;
    for (std::size_t i = 0; i < found.size(); ++i)
      worst = std::max(worst, static_cast<double>(std::abs(found[i] - expected[i])));
    CHECK(worst < 1e-3);
  }
}

TEST_CASE("bf16: a unit that is asked for by name computes without Winograd's algorithm", "[ops]") {
  KernelContext context;
  const ConvGeometry g = conv2d_geometry({6, 240, 240, 32}, {32, 3, 3, 32}, kPadded);
  CHECK(cpu::choose(context, KernelId::conv2d_forward, g) == cpu::ConvWay::winograd);
  context.precision = ConvPrecision::bf16;
  context.bf16 = Bf16Choice::portable;
  CHECK(cpu::choose(context, KernelId::conv2d_forward, g) == cpu::ConvWay::bf16);
}

}  // namespace glia::test
