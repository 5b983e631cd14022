// dropout: values and gradients against the reference mask, with and without a counter in memory,
// and the statistics of that mask.
#include <algorithm>

#include "engine/ops/ops.h"
#include "tests/catch.h"
#include "tests/ops/op_case.h"

namespace glia::test {

namespace {

Tensor counter_of(Device& device, std::int64_t value) {
  return Tensor::from<std::int64_t>(device, {1}, std::span<const std::int64_t>(&value, 1));
}

std::vector<float> mask(double p, std::uint64_t seed, std::uint64_t stream, std::int64_t count,
                        std::int64_t counter = -1) {
  const auto device = make_cpu_device(2);
  Tape tape(*device, Tape::Mode::off);
  const std::vector<float> ones(static_cast<std::size_t>(count), 1);
  return ops::dropout(tape, Tensor::from<float>(*device, {count}, ones), p, seed, stream, {},
                      counter < 0 ? Tensor() : counter_of(*device, counter))
      .to_vector<float>();
}

}  // namespace

TEST_CASE("dropout", "[ops]") {
  for (const char* group : {"dropout.shapes", "dropout.counter"}) check_cases(cases::find(group));
}

TEST_CASE("dropout: a counter adds 65536 times its value to the stream", "[ops]") {
  CHECK((mask(0.5, 3, 5, 1000, 0) == mask(0.5, 3, 5, 1000)));
  CHECK((mask(0.5, 3, 5, 1000, 4) == mask(0.5, 3, 5 + 4 * 65536, 1000)));
  CHECK((mask(0.5, 3, 5, 1000, 4) != mask(0.5, 3, 5, 1000, 5)));
}

TEST_CASE("dropout: statistics of the mask", "[ops]") {
  const std::int64_t count = 100000;
  for (double p : {0.1, 0.5, 0.8}) {
    const std::vector<float> y = mask(p, 3, 5, count);
    const auto dropped = static_cast<double>(std::count(y.begin(), y.end(), 0.0f));
    // Five standard deviations of a binomial distribution.
    CHECK(std::abs(dropped - p * count) < 5 * std::sqrt(count * p * (1 - p)));
    CHECK(std::all_of(y.begin(), y.end(),
                      [&](float v) { return v == 0 || v == Approx(1 / (1 - p)); }));
  }
  CHECK(mask(0, 3, 5, 100) == std::vector<float>(100, 1));
  // In parentheses: Catch need not print 100000 numbers.
  CHECK((mask(0.5, 3, 5, count) == mask(0.5, 3, 5, count)));
  CHECK((mask(0.5, 3, 5, count) != mask(0.5, 4, 5, count)));
  CHECK((mask(0.5, 3, 5, count) != mask(0.5, 3, 6, count)));
}

TEST_CASE("dropout: error texts", "[ops]") {
  CHECK_THROWS_WITH(mask(1, 1, 1, 4), "dropout: found p = 1, expected 0 <= p < 1");
  CHECK_THROWS_WITH(mask(-0.5, 1, 1, 4), "dropout: found p = -0.5, expected 0 <= p < 1");
}

}  // namespace glia::test
