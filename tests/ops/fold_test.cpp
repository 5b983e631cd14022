#include <cmath>
#include <limits>

#include "engine/ops/ops.h"
#include "engine/runtime/run.h"
#include "tests/catch.h"
#include "benchmarks/judge/devices.h"
#include "tests/ops/op_case.h"

namespace glia::test {

TEST_CASE("fold: parts", "[ops]") {
  check_cases(cases::find("fold.parts"));
}

TEST_CASE("fold: pairs of neighbours, then pairs of pairs, in f32 and f64", "[ops]") {
  // 2^24 + 1 is no float: the order shows.
  const float parts[] = {16777216, 1, 1, 1, 1};
  const double wide[] = {9007199254740992, 1, 1, 1, 1};
  for (const KernelTable* kernels : devices_under_test()) {
    Device device(kernels->name, *kernels, guarded_memory(*kernels), 2);
    Tape off(device, Tape::Mode::off);
    const Tensor x = Tensor::from<float>(device, {5, 1}, parts);
    // ((2^24 + 1) + (1 + 1)) + 1 = (2^24 + 2) + 1, which is even again at 2^24 + 4 or + 2.
    const float pairs = ((16777216.0f + 1.0f) + (1.0f + 1.0f)) + 1.0f;
    CHECK(ops::fold(off, x).to_vector<float>() == std::vector<float>{pairs});
    const Tensor y = Tensor::from<double>(device, {5, 1}, wide);
    const double of_wide = ((9007199254740992.0 + 1.0) + (1.0 + 1.0)) + 1.0;
    CHECK(ops::fold(off, y).to_vector<double>() == std::vector<double>{of_wide});
  }
}

TEST_CASE("fold: the parts of two halves, folded apart, are those of all", "[ops]") {
  std::vector<float> values;
  for (int i = 0; i < 8 * 3; ++i) values.push_back(std::sin(static_cast<float>(i)) / 3);
  const auto cpu = make_cpu_device(1);
  Tape off(*cpu, Tape::Mode::off);
  const auto folded = [&](std::int64_t rows, std::span<const float> of) {
    return ops::fold(off, Tensor::from<float>(*cpu, {rows, 3}, of)).to_vector<float>();
  };
  const std::span<const float> all(values);
  const std::vector<float> first = folded(4, all.first(12)), second = folded(4, all.last(12));
  std::vector<float> both = first;
  both.insert(both.end(), second.begin(), second.end());
  CHECK(folded(8, all) == folded(2, both));
}

TEST_CASE("fold: a NaN stays one, and what is no stack of parts is refused", "[ops]") {
  const auto cpu = make_cpu_device(1);
  Tape off(*cpu, Tape::Mode::off);
  const float values[] = {1, std::numeric_limits<float>::quiet_NaN()};
  CHECK(std::isnan(ops::fold(off, Tensor::from<float>(*cpu, {2, 1}, values)).item()));
  CHECK_THROWS_WITH(ops::fold(off, Tensor::zeros(*cpu, {3})),
                    "fold: found [3], expected non-empty [parts, n]");
}

TEST_CASE("merge_moments: of parts whose means differ, those of all rows", "[ops]") {
  // Two parts of two rows: {1, 3} and {5, 9}; mean 4.5, squares 3.5^2 + 1.5^2 + 0.5^2 + 4.5^2.
  const double parts[] = {2, 2, 7, 8};
  for (const KernelTable* kernels : devices_under_test("batch_norm_relu")) {
    if (kernels->merge_moments == nullptr) continue;
    Device device(kernels->name, *kernels, guarded_memory(*kernels), 2);
    const Tensor of_parts = Tensor::from<double>(device, {2, 2, 1}, parts);
    const Tensor moments = Tensor::empty(device, {2, 1}, DType::f64);
    run<&KernelTable::merge_moments>(device, {.parts = of_parts, .moments = moments, .rows = 2});
    CHECK(moments.to_vector<double>() == std::vector<double>{4.5, 35});
  }
}

}  // namespace glia::test
