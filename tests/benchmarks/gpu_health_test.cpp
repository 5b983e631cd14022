// What NVML says of a GPU, by a stand-in for it; and what becomes of samples that a GPU took while
// it was slowed down.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "benchmarks/suite/gpu_health.h"
#include "benchmarks/suite/measure.h"
#include "benchmarks/suite/report.h"
#include "tests/apps/tiny_unet.h"
#include "tests/catch.h"

using namespace glia;
using namespace glia::bench;

namespace {

constexpr const char* kAddress = "0000:3B:00.0";

/// What the stand-in says, until this is gone.
class Says {
 public:
  explicit Says(const char* text) { setenv("GLIA_FAKE_NVML", text, 1); }
  ~Says() { unsetenv("GLIA_FAKE_NVML"); }
  Says(const Says&) = delete;
  Says& operator=(const Says&) = delete;
};

std::unique_ptr<GpuHealth> fake(std::string& why, const char* address = kAddress) {
  return open_gpu_health(address, why, GLIA_FAKE_NVML_LIBRARY);
}

/// Slowed down in the first `slow` of its answers.
class Slow : public GpuHealth {
 public:
  explicit Slow(int slow) : slow_(slow) {}
  GpuState now() const override {
    return {.sm_mhz = 1000 + asked_,
            .watts = 300,
            .limits = asked_++ < slow_ ? std::uint64_t{kThermalSlowdown} : 0};
  }

 private:
  int slow_;
  mutable int asked_ = 0;
};

Measurement measured(int slow) {
  const auto step = record_training_step(test::kTinyUNet, 2, 16);
  std::vector<OpenBackend> backends;
  backends.emplace_back("native", make_cpu_device(1), 4096);
  backends[0].watch(std::make_unique<Slow>(slow));
  return measure_call(step.calls.front(), backends,
                      {.samples = 6, .seconds = 60, .cold = false, .check = false})
      .front();
}

}  // namespace

TEST_CASE("gpu health: clocks, power and limits", "[bench]") {
  const Says says("1755,2619,650500,4");
  std::string why;
  const auto health = fake(why);
  REQUIRE(health != nullptr);
  const GpuState state = health->now();
  CHECK(state.sm_mhz == 1755);
  CHECK(state.memory_mhz == 2619);
  CHECK(state.watts == Approx(650.5));
  CHECK(state.limits == kPowerCap);
  CHECK_FALSE(state.slowed_down());
}

TEST_CASE("gpu health: heat and lost power slow a GPU down, its power cap does not", "[bench]") {
  for (const auto& [limits, slow] : {std::pair{0ull, false},
                                     {0x1ull, false},
                                     {0x4ull, false},
                                     {0x8ull, true},
                                     {0x20ull, true},
                                     {0x44ull, true},
                                     {0x80ull, true}}) {
    INFO("limits " << limits);
    CHECK(GpuState{.limits = limits}.slowed_down() == slow);
  }
}

TEST_CASE("gpu health: why there is none", "[bench]") {
  std::string why;
  CHECK(open_gpu_health(kAddress, why, "libnothere.so.1") == nullptr);
  CHECK(why ==
        "no libnothere.so.1 (it comes with NVIDIA's driver): clocks and power are not known");
  CHECK(fake(why) == nullptr);
  CHECK_THAT(why, Catch::Matchers::EndsWith("does not start: clocks and power are not known"));
  CHECK(open_gpu_health(kAddress, why, "libm.so.6") == nullptr);
  CHECK(why == "libm.so.6 lacks a function that is needed: clocks and power are not known");
  const Says says("1,1,1,0");
  CHECK(fake(why, "0000:99:00.0") == nullptr);
  CHECK_THAT(why, Catch::Matchers::EndsWith(
                      "knows no GPU at 0000:99:00.0: its clocks and power are not known"));
}

TEST_CASE("gpu health: samples of a GPU that is slowed down are dropped and counted", "[bench]") {
  const Measurement some = measured(2);
  CHECK(some.throttled == 2);
  CHECK(some.warm.size() == 4);
  CHECK(some.states.size() == 4);
  CHECK(some.states.front().sm_mhz == 1002);
  CHECK(some.problem.empty());
  const Measurement none = measured(100);
  CHECK(none.warm.empty());
  CHECK(none.throttled == 6);
  CHECK(none.problem ==
        "the GPU was slowed down by heat or lack of power in each of 6 samples; let it cool, or "
        "look at nvidia-smi -q -d PERFORMANCE");
}

TEST_CASE("gpu health: rows have clocks and power, and how many samples were dropped", "[bench]") {
  const auto step = record_training_step(test::kTinyUNet, 2, 16);
  Report report{.title = "x", .backends = {"native"}};
  report.kernels.push_back({4, 2, distinct_rows(step.calls).front(), {measured(2)}});
  const auto row = to_json(report)["rows"][0];
  CHECK(row["sm_mhz"] == 1003.5);  // the median of 1002 to 1005
  CHECK(row["watts"] == 300);
  CHECK(row["throttled"] == 2);
  CHECK(
      table_lines(report, report.kernels[0]).find("(2 samples dropped: the GPU was slowed down)") !=
      std::string::npos);
}
