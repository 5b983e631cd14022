// Operations with activations in bf16, but for convolutions: the cases of the other files of this
// folder with operands that bf16 has, and what those cases cannot tell.
#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <vector>

#include "engine/base/bf16.h"
#include "engine/runtime/run.h"
#include "engine/tensor/tensor.h"
#include "tests/catch.h"
#include "benchmarks/judge/devices.h"
#include "tests/ops/op_case.h"
#include "benchmarks/judge/transfer.h"

namespace glia::test {

namespace {

/// All cases of a group but those of the numbers `without`, counted from 1.
void check_in_bf16(const char* group, std::initializer_list<int> without = {}) {
  std::vector<Case> chosen;
  int number = 0;
  for (const Case& test : cases::find(group))
    if (std::find(without.begin(), without.end(), ++number) == without.end())
      chosen.push_back(test);
  check_cases_in_bf16(chosen);
}

/// A tensor of one value.
Tensor full(Device& device, const Shape& shape, double value, DType dtype = DType::bf16) {
  const Tensor tensor = Tensor::empty(device, shape, dtype);
  store(Values(static_cast<std::size_t>(shape.numel()), value), tensor);
  return tensor;
}

/// Whether all elements are `value`.
bool all_are(const Tensor& tensor, double value) {
  return load(tensor) == Values(static_cast<std::size_t>(tensor.numel()), value);
}

}  // namespace

TEST_CASE("activations in bf16: element by element", "[ops]") {
  for (const char* group : {"relu.shapes", "sigmoid.shapes", "add.shapes", "mul.shapes",
                            "scale.shapes", "threshold.shapes"})
    check_in_bf16(group);
}

TEST_CASE("activations in bf16: dropout drops what it drops in fp32", "[ops]") {
  check_in_bf16("dropout.shapes");
  check_in_bf16("dropout.counter");
}

TEST_CASE("activations in bf16: max_pool2d, upsample_nearest2d and concat", "[ops]") {
  check_in_bf16("max_pool2d.windows", {4, 9});  // more elements than bf16 tells apart: ties
  check_in_bf16("upsample_nearest2d.factors");
  // Without those that are judged by sums of squares: the squares are rounded, the sums are not.
  check_in_bf16("concat.channels", {5, 6, 7, 8, 9, 10, 11, 12});
}

TEST_CASE("activations in bf16: sum and mean", "[ops]") {
  check_in_bf16("sum.shapes");
  check_in_bf16("mean.shapes");
}

TEST_CASE("activations in bf16: batch_norm and group_norm", "[ops]") {
  // Without 1000 +- 0.5, which is one number in bf16.
  check_in_bf16("batch_norm.training", {7});
  check_in_bf16("batch_norm.evaluation");
  check_in_bf16("batch_norm.operands");
  check_in_bf16("group_norm.shapes", {8});
  check_in_bf16("group_norm.operands");
}

TEST_CASE("activations in bf16: scale converts between the types", "[ops]") {
  // Dense; rows of four channels in wider buffers, in whole packs of four, and not.
  struct Slices {
    std::int64_t channels, x_pitch, y_pitch, y_first;
  };
  on_each_device_in_bf16([](Device& device) {
    for (const Slices& s : {Slices{4, 4, 4, 0},
                            {3, 3, 8, 0},
                            {4, 4, 8, 4},
                            {8, 8, 24, 16},
                            {8, 12, 17, 3},
                            {8, 8, 8, 0}})
      for (const Write write : {Write::overwrite, Write::accumulate}) {
        INFO(s.channels << " channels of " << s.x_pitch << " and of " << s.y_pitch);
        const Tensor wide = Tensor::empty(device, {2, 3, 7, s.x_pitch}, DType::f32);
        Values values;
        for (std::int64_t i = 0; i < wide.numel(); ++i)
          values.push_back(static_cast<float>(0.37 * static_cast<double>(i) - 20.1));
        store(values, wide);
        const Tensor x = wide.channels(0, s.channels);
        const Tensor place = full(device, {2, 3, 7, s.y_pitch}, 5);
        const Tensor y = place.channels(s.y_first, s.channels);
        glia::run<&KernelTable::scale>(device, {.x = x, .y = y, .write = write});
        Values expected = load(x);
        for (double& v : expected)
          v = to_float(to_bf16(static_cast<float>(write == Write::accumulate ? v + 5 : v)));
        CHECK((load(y) == expected));
        // The other way nothing is lost, and what lies beside y has not been touched.
        const Tensor back = full(device, y.shape(), 0, DType::f32);
        glia::run<&KernelTable::scale>(device, {.x = y, .y = back});
        CHECK((load(back) == expected));
        store(Values(expected.size(), 5), y);
        CHECK(all_are(place, 5));
      }
  });
}

TEST_CASE("activations in bf16: sums are in fp32 until the one rounding of the result", "[ops]") {
  on_each_device_in_bf16([](Device& device) {
    for (const std::int64_t channels : {3, 8}) {  // one by one, and in packs
      INFO(channels << " channels");
      const Shape small{1, 1, 1, channels}, large{1, 2, 2, channels};
      // y lies half a unit and a bit less below the next number; the product alone would be rounded
      // to that half unit, and the sum with it to the even neighbour above.
      const Tensor y = full(device, small, 1 + 0x1p-7);
      glia::run<&KernelTable::mul>(device, {.a = full(device, small, 0x1p-4 + 0x1p-11),
                                            .b = full(device, small, 0x1p-4 - 0x1p-11),
                                            .y = y,
                                            .write = Write::accumulate});
      CHECK(all_are(y, 1 + 0x1p-7));

      // 1 + 4 * 2^-9: each addend alone is lost.
      const Tensor dx = full(device, small, 1);
      glia::run<&KernelTable::upsample_nearest2d_backward>(
          device,
          {.dy = full(device, large, 0x1p-9), .dx = dx, .factor = 2, .write = Write::accumulate});
      CHECK(all_are(dx, 1 + 0x1p-7));

      // The middle of 3x3 is the maximum of four windows.
      const PoolGeometry g = max_pool2d_geometry({1, 3, 3, channels}, 2, 1);
      const Tensor index = Tensor::empty(device, g.y_shape(), DType::u8);
      Values places;
      for (const double place : {3, 2, 1, 0})
        places.insert(places.end(), static_cast<std::size_t>(channels), place);
      store(places, index);
      const Tensor middle = full(device, g.x_shape(), 1);
      glia::run<&KernelTable::max_pool2d_backward>(device, {.geometry = g,
                                                            .dy = full(device, g.y_shape(), 0x1p-9),
                                                            .index = index,
                                                            .dx = middle,
                                                            .write = Write::accumulate});
      Values expected(static_cast<std::size_t>(9 * channels), 1);
      for (std::int64_t c = 0; c < channels; ++c)
        expected[static_cast<std::size_t>(4 * channels + c)] = 1 + 0x1p-7;
      CHECK((load(middle) == expected));
    }
    // Sums are not bf16 at all.
    const Tensor total = Tensor::empty(device, {1});
    glia::run<&KernelTable::sum>(device, {.x = full(device, {1, 1, 257, 3}, 1), .y = total});
    CHECK(total.item() == 771);
  });
}

TEST_CASE("activations in bf16: a view of another type is refused", "[ops]") {
  on_each_device_in_bf16([](Device& device) {
    const Tensor wide = full(device, {1, 2, 2, 8}, 1, DType::f32);
    const Tensor x = full(device, {1, 2, 2, 8}, 1);
    CHECK_THROWS_WITH(glia::run<&KernelTable::relu_forward>(device, {.x = wide, .y = x}),
                      ContainsSubstring("f32"));
    CHECK_THROWS_WITH(glia::run<&KernelTable::add>(device, {.a = wide, .b = x, .y = wide}),
                      ContainsSubstring("bf16"));
    CHECK_THROWS_WITH(glia::run<&KernelTable::sum>(device, {.x = x, .y = full(device, {1}, 0)}),
                      ContainsSubstring("bf16"));
  });
}

}  // namespace glia::test
