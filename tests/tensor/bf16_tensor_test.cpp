// Tensors of bf16: conversions, shadows, and the operation between the two types.
#include <bit>
#include <cmath>
#include <limits>

#include "engine/nn/layers.h"
#include "engine/ops/ops.h"
#include "engine/runtime/open_device.h"
#include "kernels/cpu/table.h"
#include "tests/catch.h"

namespace glia {

namespace {

/// The CPU's memory with a table whose activations are bf16: for what calls no kernel.
std::unique_ptr<Device> device_in_bf16() {
  static const KernelTable kernels = [] {
    KernelTable table = cpu::table();
    table.activations = DType::bf16;
    return table;
  }();
  auto device = make_cpu_device(1);
  device->use(kernels);
  return device;
}

}  // namespace

TEST_CASE("bf16: every number of 16 bits is its float's rounding, and NaN stays NaN", "[tensor]") {
  for (std::uint32_t bits = 0; bits < 1u << 16; ++bits) {
    const Bf16 x{static_cast<std::uint16_t>(bits)};
    const float value = to_float(x);
    if (std::isnan(value))
      CHECK(std::isnan(to_float(to_bf16(value))));
    else if (to_bf16(value).bits != x.bits)
      FAIL_CHECK("0x" << std::hex << bits);
  }
  const auto rounded = [](float x) { return to_float(to_bf16(x)); };
  CHECK(rounded(1 + 0x1p-8f) == 1);                // a tie, down to even
  CHECK(rounded(1 + 3 * 0x1p-8f) == 1 + 0x1p-6f);  // a tie, up to even
  CHECK(rounded(-1 - 0x1p-8f - 0x1p-20f) == -1 - 0x1p-7f);
  CHECK(std::isinf(rounded(std::numeric_limits<float>::max())));
  CHECK(rounded(0x1p-133f) == 0x1p-133f);  // the least of all
  CHECK(std::isnan(rounded(std::bit_cast<float>(0x7f800001u))));
}

TEST_CASE("bf16: a tensor takes floats, rounds them and gives them back", "[tensor]") {
  const auto device = make_cpu_device(1);
  const Tensor t = Tensor::zeros(*device, {1, 1, 2, 3}, DType::bf16);
  t.copy_from({1, 1 + 0x1p-8f, -2.5f, 1 + 0x1p-6f, 0, 3});
  const std::vector<float> expected{1, 1, -2.5f, 1 + 0x1p-6f, 0, 3};
  CHECK(t.to_vector<float>() == expected);
  CHECK(t.channels(1, 2).to_vector<float>() == std::vector<float>{1, -2.5f, 0, 3});
  CHECK(t.to_vector<Bf16>()[2].bits == 0xC020);
  CHECK(t.slice(5, {1}).item() == 3);
  CHECK_THROWS_WITH(t.to_vector<double>(), "tensor: found bf16, expected f64");
  CHECK_THROWS_WITH(t.view().as<float>(), ContainsSubstring("bf16"));
}

TEST_CASE("bf16: parameters have shadows where activations are bf16, and nowhere else",
          "[tensor]") {
  const auto plain = make_cpu_device(1), narrow = device_in_bf16();
  for (Device* device : {plain.get(), narrow.get()}) {
    const bool in_bf16 = device == narrow.get();
    nn::ParameterSet set;
    set.add("a", {3, 5}, nn::Init::he_normal(4));
    const nn::Parameter& b = set.add("b", {7}, nn::Init::constant(1 + 0x1p-10));
    set.add_buffer("c", {7}, 1);
    set.allocate(*device, 1);
    CHECK(set.flat_values().dtype() == DType::f32);
    CHECK(set.flat_grads().dtype() == DType::f32);
    REQUIRE(set.flat_shadow().defined() == in_bf16);
    CHECK(b.value.to_vector<float>()[6] == 1 + 0x1p-10f);
    if (!in_bf16) continue;
    for (const nn::Parameter& p : set.parameters()) {
      const std::vector<float> values = p.value.to_vector<float>();
      const std::vector<float> shadow = p.value.shadow().to_vector<float>();
      for (std::size_t i = 0; i < values.size(); ++i)
        CHECK(shadow[i] == to_float(to_bf16(values[i])));
    }
    b.value.copy_from(std::vector<float>(7, 2));
    CHECK(set.part(set.flat_shadow(), b).to_vector<float>() == std::vector<float>(7, 2));
  }
}

TEST_CASE("bf16: operations say which type they found and which they take", "[tensor]") {
  const auto device = device_in_bf16();
  Tape tape(*device, Tape::Mode::off);
  const Tensor wide = Tensor::zeros(*device, {1, 2, 2, 3});
  const Tensor narrow = Tensor::zeros(*device, {1, 2, 2, 3}, DType::bf16);
  const Tensor weight = Tensor::zeros(*device, {1, 1, 1, 3});
  CHECK_THROWS_WITH(ops::conv2d(tape, wide, weight, {}, {}),
                    "conv2d: input is f32, the backend 'cpu' computes in bf16");
  CHECK_THROWS_WITH(ops::iou_loss(tape, narrow, narrow, Region::batch, 1),
                    "iou_loss: logits is bf16, the backend 'cpu' computes in f32");
  CHECK_THROWS_WITH(ops::add(tape, wide, narrow),
                    "add: the operands are f32 and bf16, expected the same type");
  CHECK_THROWS_WITH(ops::relu(tape, Tensor::zeros(*device, {1, 2, 2, 3}, DType::f64)),
                    "relu: input is f64, the backend 'cpu' computes in bf16 or f32");
  nn::Pass pass{.tape = tape};
  CHECK(nn::as_activations(pass, narrow).view().data == narrow.view().data);
  const Tensor integers = Tensor::zeros(*device, {1, 2, 2, 3}, DType::i64);
  CHECK_THROWS_WITH(ops::scale(tape, wide, 1, integers),
                    "scale: out is i64, the backend 'cpu' computes in bf16 or f32");
}

}  // namespace glia
