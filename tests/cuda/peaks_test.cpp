// What the work that measures a GPU's peaks leaves, and how much of it there is; and the GPU's
// clock.
#include <cmath>

#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/run.h"
#include "engine/tensor/tensor.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"

namespace glia::test {

namespace {

constexpr Arithmetic kAll[] = {Arithmetic::fp32, Arithmetic::tf32, Arithmetic::bf16};
constexpr int kRounds = 3;

const PeakWork& work_of(const Device& device) {
  return *find_gpu_backend(device.kernels().name)->peaks;
}

/// All results of the multiply-adds; `operations` is what they say they were.
std::vector<float> results_of(Device& device, Arithmetic arithmetic, int rounds,
                              double& operations) {
  const PeakWork& work = work_of(device);
  const std::int64_t count = std::int64_t{work.results} * device.context().multiprocessors;
  const Tensor results = Tensor::empty(device, {count});
  device.allocator().fill(results.view().data, 0xFF, static_cast<std::size_t>(count) * 4);
  operations = work.multiply_adds(device.context(), arithmetic, rounds, results.view().as<float>());
  return results.to_vector<float>();
}

}  // namespace

TEST_CASE("gpu peaks: every thread's multiply-adds leave what they must", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto device = open_device(request);
    const PeakWork& work = work_of(*device);
    for (const Arithmetic arithmetic : kAll) {
      double operations = 0;
      const auto found = results_of(*device, arithmetic, kRounds, operations);
      REQUIRE(found.size() > static_cast<std::size_t>(work.results));
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < found.size(); ++i) {
        const auto index = static_cast<std::int64_t>(i) % work.results;
        const ExpectedResult expected = work.expected(arithmetic, kRounds, index);
        wrong += !(std::abs(found[i] - expected.value) <= expected.bound);
      }
      CAPTURE(request.backend, name_of(arithmetic));
      CHECK(wrong == 0);
      // One round less would be seen.
      const ExpectedResult one_less = work.expected(arithmetic, kRounds - 1, 0);
      CHECK(std::abs(found[0] - one_less.value) > one_less.bound);
    }
  }
}

TEST_CASE("gpu peaks: operations are counted as the instructions have them", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto device = open_device(request);
    const double threads =
        static_cast<double>(work_of(*device).results) * device->context().multiprocessors;
    const auto operations_of = [&](Arithmetic arithmetic, int rounds) {
      double operations = 0;
      results_of(*device, arithmetic, rounds, operations);
      return operations;
    };
    // A round: 16 steps of 16 chains a thread, or 4 steps of 8 instructions a warp.
    CHECK(operations_of(Arithmetic::fp32, kRounds) == threads * kRounds * 16 * 16 * 2);
    CHECK(operations_of(Arithmetic::tf32, kRounds) ==
          threads / 32 * kRounds * 4 * 8 * (2 * 16 * 8 * 8));
    CHECK(operations_of(Arithmetic::bf16, kRounds) ==
          threads / 32 * kRounds * 4 * 8 * (2 * 16 * 8 * 16));
    CHECK(operations_of(Arithmetic::bf16, 2 * kRounds) ==
          2 * operations_of(Arithmetic::bf16, kRounds));
  }
}

TEST_CASE("gpu timer: the clock is the device's, in its queue, and goes forward", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto device = open_device(request);
    const Tensor x = Tensor::zeros(*device, {1000}), y = Tensor::zeros(*device, {1000});
    const auto work = [&](int times) {
      for (int i = 0; i < times; ++i) run<&KernelTable::scale>(*device, {.x = x, .y = y});
    };
    const auto outer = device->allocator().make_timer(), inner = device->allocator().make_timer();
    REQUIRE(outer != nullptr);
    work(1);
    outer->start();
    inner->start();
    work(20);
    const double within = inner->stop();
    work(20);
    const double whole = outer->stop();
    CHECK(within > 0);
    CHECK(whole > within);
    CHECK(outer->stop() >= whole);  // from the same start
  }
  CHECK(make_cpu_device(1)->allocator().make_timer() == nullptr);
}

TEST_CASE("gpu timer: a stop without a start is an error", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto device = open_device(request);
    const auto timer = device->allocator().make_timer();
    CHECK_THROWS_WITH(timer->stop(), ContainsSubstring("reading the GPU's clock"));
  }
}

}  // namespace glia::test
