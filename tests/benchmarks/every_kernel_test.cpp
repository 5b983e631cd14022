// Every kernel of kernels/api/list.h on every backend that has it and that this machine can run: an
// operation at a shape calls it, it can be timed, and its results are those of its formula.
#include <cstring>

#include "benchmarks/suite/case_rows.h"
#include "benchmarks/suite/measure.h"
#include "tests/catch.h"
#include "benchmarks/judge/devices.h"

using namespace glia;

namespace {

constexpr double kLargestError = 1e-5;  // relative; summation errors of float32 at this size

std::vector<bench::OpenBackend> open(const KernelTable& kernels) {
  std::vector<bench::OpenBackend> backends;
  backends.emplace_back(
      kernels.name,
      std::make_unique<Device>(kernels.name, kernels, test::guarded_memory(kernels), 2),
      sizeof(float));
  return backends;
}

KernelId id_of(const bench::Call& call) {
  for (const KernelInfo& kernel : kKernels)
    if (call.kernel == kernel.name) return kernel.id;
  fail("no kernel is called {}", call.kernel);
}

/// Convolutions alone are all that this one is to have.
bool has_all(const KernelTable& kernels) {
  return std::strcmp(kernels.name, "onednn-blocked") != 0;
}

/// What every operand holds after the call has run so many times, one by one or as a graph that is
/// replayed `replays` times.
std::vector<std::vector<std::byte>> left_by(Device& device, bench::Replay& replay, int runs,
                                            int replays) {
  const auto work = [&] {
    for (int i = 0; i < runs; ++i) replay.run();
  };
  replay.run();  // asks for the memory that it needs
  replay.restore();
  if (replays == 0) {
    work();
  } else {
    const auto graph = device.capture(work);
    for (int i = 0; i < replays; ++i) graph->replay();
  }
  std::vector<std::vector<std::byte>> left;
  for (std::size_t i = 0; i < replay.operands(); ++i) left.push_back(replay.read(i));
  return left;
}

}  // namespace

TEST_CASE("bench: kernels that are replayed as a graph leave what they leave one by one",
          "[bench]") {
  const std::map<std::string, bench::Call> calls = bench::call_of_each_kernel();
  for (const KernelTable* kernels : test::devices_under_test()) {
    Device device(kernels->name, *kernels, test::guarded_memory(*kernels), 2);
    if (!device.can_capture()) continue;
    for (const KernelInfo& kernel : kKernels) {
      const auto call = calls.find(kernel.name);
      if (!has_kernel(*kernels, kernel.id) || call == calls.end()) continue;
      CAPTURE(kernel.name, kernels->name);
      const bench::Contents contents(call->second, 1);
      bench::Replay replay(device, call->second, contents);
      CHECK((left_by(device, replay, 4, 0) == left_by(device, replay, 2, 2)));
    }
  }
}

TEST_CASE("bench: every kernel with activations in bf16 can be timed and is right", "[bench]") {
  const std::map<std::string, bench::Call> calls = bench::call_of_each_kernel(8, 16, DType::bf16);
  for (const KernelTable* kernels : test::devices_under_test()) {
    if (!kernels->in_bf16) continue;
    auto backends = open(*kernels->in_bf16);
    for (const auto& entry : calls) {
      const bench::Call& call = entry.second;
      if (call.type() != DType::bf16 || !has_kernel(*kernels, id_of(call))) continue;
      CAPTURE(call.kernel, kernels->name);
      const auto found =
          bench::measure_call(call, backends, {.samples = 1, .seconds = 0, .cold = false});
      CAPTURE(found[0].problem, found[0].accuracy.relative_error);
      CHECK(found[0].problem.empty());
      CHECK(found[0].checked);
      CHECK(found[0].accuracy.relative_error < 0x1p-7);
      CHECK(found[0].accuracy.deterministic);
      const bool product = call.op.starts_with("conv");
      CHECK((found[0].arithmetic == (product ? Arithmetic::bf16 : Arithmetic::fp32)));
    }
    // Rows of fp32 beside it are not its own.
    const auto plain = bench::call_of_each_kernel();
    const auto refused = bench::measure_call(plain.at("relu_forward"), backends,
                                             {.samples = 1, .seconds = 0, .cold = false});
    CHECK_THAT(refused[0].problem, ContainsSubstring("stores activations in bf16, and these rows"));
  }
}

TEST_CASE("bench: every kernel of every backend can be timed and is right", "[bench]") {
  const std::map<std::string, bench::Call> calls = bench::call_of_each_kernel();
  for (const KernelTable* kernels : test::devices_under_test("conv2d")) {
    auto backends = open(*kernels);
    for (const KernelInfo& kernel : kKernels) {
      CAPTURE(kernel.name, kernels->name);
      if (!has_kernel(*kernels, kernel.id)) {
        INFO("the table of the backend lacks a kernel of kernels/api/list.h that it should have");
        CHECK((!has_all(*kernels) || (kernel.needs_maps && kernels->maps == Maps::none)));
        continue;
      }
      const auto call = calls.find(kernel.name);
      INFO("no case runs it: let " << kernel.op << "_operation() of benchmarks/cases call it");
      REQUIRE(call != calls.end());
      const auto found =
          bench::measure_call(call->second, backends, {.samples = 1, .seconds = 0, .cold = false});
      INFO("its formula in float64 stands in benchmarks/suite/reference_*.cpp");
      CAPTURE(found[0].problem, found[0].accuracy.relative_error);
      CHECK(found[0].problem.empty());
      CHECK(found[0].warm.size() == 1);
      CHECK(found[0].checked);
      CHECK(found[0].accuracy.relative_error < kLargestError);
      CHECK(found[0].accuracy.deterministic);
      const bool says = kernels->algorithm != nullptr && call->second.op.starts_with("conv");
      CHECK(found[0].algorithm.empty() != says);
    }
  }
}
