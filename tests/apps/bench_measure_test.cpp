// What the benchmark says of results: right, wrong, not repeatable, missing. And its statistics.
#include <algorithm>
#include <cmath>

#include "benchmarks/suite/measure.h"
#include "benchmarks/suite/report.h"
#include "benchmarks/suite/statistics.h"
#include "engine/ops/ops.h"
#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/open_device.h"
#include "engine/runtime/run.h"
#include "kernels/cpu/table.h"
#include "tests/apps/tiny_unet.h"
#include "tests/catch.h"

using namespace glia;

namespace {

const bench::MeasureOptions kQuick{.samples = 2, .seconds = 0};

std::vector<bench::OpenBackend> cpu_with(const std::vector<const KernelTable*>& tables) {
  std::vector<bench::OpenBackend> backends;
  for (const KernelTable* table : tables)
    backends.emplace_back(
        table->name,
        std::make_unique<Device>(
            table->name, *table,
            std::make_shared<CachingAllocator>(std::make_unique<SystemAllocator>()), 2),
        4096);
  return backends;
}

bench::Call call_of(const std::string& kernel) {
  for (const bench::Call& call : bench::record_training_step(test::kTinyUNet, 2, 16).calls)
    if (call.kernel == kernel) return call;
  FAIL("no " << kernel);
  return {};
}

int runs = 0;

void counted_relu(KernelContext& context, const ReluForward& a) {
  ++runs;
  cpu::table().relu_forward(context, a);
}

void wrong_relu(KernelContext& context, const ReluForward& a) {
  cpu::table().scale(context, {.x = a.x, .y = a.y, .alpha = 1});
}

void restless_relu(KernelContext& context, const ReluForward& a) {
  cpu::table().relu_forward(context, a);
  a.y.as<float>()[0] = static_cast<float>(++runs);
}

void nan_relu(KernelContext& context, const ReluForward& a) {
  cpu::table().scale(context, {.x = a.x, .y = a.y, .alpha = std::nanf("")});
}

Allocator* memory_of_relu = nullptr;

/// Looks at its result on the host, as nothing that is recorded may.
void looking_relu(KernelContext& context, const ReluForward& a) {
  find_gpu_backend("emu")->kernels->relu_forward(context, a);
  float first = 0;
  memory_of_relu->copy_out(&first, a.y.data, sizeof first);
}

/// The CPU, whose clock is the host's, and where it is built the emulator, which has its own.
std::vector<DeviceRequest> machines() {
  std::vector<DeviceRequest> requests{{.device = "cpu", .threads = 1}};
  if (find_gpu_backend("emu")) requests.push_back({.device = "cpu", .backend = "emu"});
  return requests;
}

bench::Call small_relu() {
  const auto build = [](Tape& tape, std::span<const Tensor> in, const Tensor&) {
    return ops::relu(tape, in[0]);
  };
  return bench::record_case({.op = "relu",
                             .text = "",
                             .inputs = {{.shape = {1, 2, 2, 3}, .grad = false}},
                             .build = build})
      .front();
}

KernelTable with_relu(const char* name, Kernel<ReluForward> relu) {
  KernelTable table = cpu::table();
  table.name = name;
  table.relu_forward = relu;
  return table;
}

}  // namespace

TEST_CASE("bench: percentiles lie between samples", "[bench]") {
  const std::vector<double> samples{5, 1, 3, 2, 4};
  CHECK(bench::percentile(samples, 0) == 1);
  CHECK(bench::percentile(samples, 1) == 5);
  const bench::Summary s = bench::summarize(samples);
  CHECK(s.median == 3);
  CHECK(s.p20 == Approx(1.8));
  CHECK(s.p80 == Approx(4.2));
  CHECK(s.spread() == Approx(0.4));
  CHECK(bench::summarize(std::vector<double>{1, 2}).median == 1.5);
  CHECK(bench::summarize(std::vector<double>{7}).p80 == 7);
  CHECK_THROWS_AS(bench::percentile({}, 0.5), Error);
}

TEST_CASE("bench: a median is known the better, the more samples there are", "[bench]") {
  std::vector<double> samples;
  for (int i = 0; i < 7; ++i) samples.push_back(1 + 0.01 * i);
  CHECK(std::isinf(bench::median_uncertainty(samples)));
  samples.push_back(1.07);
  // Eight: between the first and the last.
  CHECK(bench::median_uncertainty(samples) == Approx(0.035 / 1.035));
  while (samples.size() < 100)
    samples.push_back(1 + 0.01 * static_cast<double>(samples.size() % 8));
  // A hundred: between those that are 37 places from either end.
  std::sort(samples.begin(), samples.end());
  CHECK(bench::median_uncertainty(samples) ==
        Approx((samples[62] - samples[37]) / 2 / bench::percentile(samples, 0.5)));
  CHECK(bench::median_uncertainty(std::vector<double>(20, 3.0)) == 0);
}

TEST_CASE("bench: samples are taken until the median is known, and not beyond the time",
          "[bench]") {
  const auto step = bench::record_training_step(test::kTinyUNet, 2, 16);
  std::vector<bench::OpenBackend> backends;
  backends.emplace_back("native", make_cpu_device(1), 4096);
  const bench::Call& call = step.calls.front();
  const bench::MeasureOptions sure{
      .samples = 5000, .until_sure = true, .seconds = 60, .cold = false, .check = false};
  const auto known = bench::measure_call(call, backends, sure).front().warm;
  CHECK(known.size() >= 8);
  CHECK(known.size() < 5000);
  CHECK(bench::median_uncertainty(known) <= 0.01);
  bench::MeasureOptions hurried = sure;
  hurried.seconds = 0;
  CHECK(bench::measure_call(call, backends, hurried).front().warm.size() == 3);
}

TEST_CASE("bench: every kernel of a step is right and repeatable on the CPU", "[bench]") {
  auto backends = cpu_with({&cpu::table()});
  const auto check_rows = [&](const UNetConfig& config, const bench::Recording& how) {
    for (const bench::Row& row :
         bench::distinct_rows(bench::record_training_step(config, 2, 16, how).calls)) {
      const auto found = bench::measure_call(row.call, backends, kQuick);
      CAPTURE(row.call.key(), found[0].problem, found[0].accuracy.relative_error);
      CHECK(found[0].problem.empty());
      CHECK(found[0].warm.size() == 2);
      CHECK(found[0].cold.size() == 2);
      CHECK(found[0].accuracy.relative_error < 1e-5);
      CHECK(found[0].accuracy.deterministic);
    }
  };
  for (const UpPath up : {UpPath::transpose, UpPath::upsample}) {
    UNetConfig config = test::kTinyUNet;
    config.up = up;
    check_rows(config, {});
    check_rows(config, {.maps = Maps::read, .memory = MemoryMode::fast});
    check_rows(config, {.maps = Maps::read, .memory = MemoryMode::lean});
  }
}

TEST_CASE("bench: a wrong kernel, a restless one and a missing one stand out", "[bench]") {
  const KernelTable wrong = with_relu("wrong", wrong_relu),
                    restless = with_relu("restless", restless_relu),
                    missing = with_relu("missing", nullptr);
  auto backends = cpu_with({&wrong, &restless, &missing, &cpu::table()});
  const auto found = bench::measure_call(call_of("relu_forward"), backends, kQuick);
  REQUIRE(found.size() == 4);
  CHECK(found[0].accuracy.relative_error > 0.1);
  CHECK(found[0].accuracy.deterministic);
  CHECK_FALSE(found[1].accuracy.deterministic);
  CHECK(found[2].problem == "unsupported: the backend 'missing' has no kernel relu_forward");
  CHECK(found[2].warm.empty());
  CHECK(found[3].accuracy.max_error == 0);
  CHECK(found[3].warm.size() == 2);
}

TEST_CASE("bench: NaN is an error that stands out, an infinity that is meant is none", "[bench]") {
  const KernelTable nans = with_relu("nans", nan_relu);
  auto backends = cpu_with({&nans, &cpu::table()});
  const bench::Call relu = call_of("relu_forward");
  const auto found = bench::measure_call(relu, backends, kQuick);
  CHECK(std::isnan(found[0].accuracy.relative_error));
  CHECK(std::isnan(found[0].accuracy.max_error));
  bench::Report report{.title = "", .environment = {}, .backends = {"nans", "cpu"}};
  report.kernels.push_back({0, 0, {relu, {relu.layer}}, found});
  CHECK(bench::to_json(report)["rows"][0]["relative_error"] == "nan");
  CHECK(bench::to_json(report)["rows"][1]["relative_error"] == 0);
  CHECK_THAT(bench::table_lines(report, report.kernels.back()), ContainsSubstring("nan"));

  const auto fill = [](Tape& tape, std::span<const Tensor> in, const Tensor&) {
    run<&KernelTable::fill>(tape.device(), {.y = in[0], .alpha = -INFINITY});
    return in[0];
  };
  const auto calls = bench::record_case({.op = "fill",
                                         .text = "",
                                         .inputs = {{.shape = {1, 2, 2, 3}, .grad = false}},
                                         .build = fill});
  REQUIRE(calls.size() == 1);
  CHECK(bench::measure_call(calls[0], backends, kQuick)[1].accuracy.max_error == 0);
}

TEST_CASE("bench: under a profiler every kernel runs exactly once", "[bench]") {
  const KernelTable counted = with_relu("counted", counted_relu);
  auto backends = cpu_with({&counted});
  runs = 0;
  const auto found = bench::measure_call(call_of("relu_forward"), backends, {.once = true});
  CHECK(runs == 1);
  CHECK(found[0].problem.empty());
  CHECK_FALSE(found[0].checked);
  // A first run loads and builds what later ones find: its time is nobody's.
  CHECK(found[0].warm.empty());
  bench::Report report{.title = "", .environment = {}, .backends = {"counted"}};
  report.kernels.push_back({0, 0, {call_of("relu_forward"), {"any"}}, found});
  CHECK_THAT(bench::table_lines(report, report.kernels[0]),
             ContainsSubstring("run once, not timed"));
  CHECK(bench::to_json(report)["rows"][0]["warm_s"].is_null());
}

TEST_CASE("bench: the stopwatch counts what was queued since it was started", "[bench]") {
  for (const DeviceRequest& request : machines()) {
    const auto device = open_device(request);
    const Tensor x = Tensor::zeros(*device, {1000}), y = Tensor::zeros(*device, {1000});
    const auto work = [&](int times) {
      for (int i = 0; i < times; ++i) run<&KernelTable::scale>(*device, {.x = x, .y = y});
    };
    bench::Stopwatch outer(*device), inner(*device);
    work(1);
    outer.start();
    inner.start_in_queue();
    work(20);
    const double within = inner.stop();
    work(20);
    const double whole = outer.stop();
    CHECK(within > 0);
    CHECK(whole > within);
    // Started anew it has forgotten what was before.
    outer.start();
    CHECK(outer.stop() < whole);
  }
}

TEST_CASE("bench: repeats of a small kernel are one graph where a device can record", "[bench]") {
  for (const DeviceRequest& request : machines()) {
    std::vector<bench::OpenBackend> backends;
    backends.emplace_back("any", open_device(request), sizeof(float));
    bench::MeasureOptions options{.samples = 2, .seconds = 0, .cold = false, .check = false};
    options.shortest_sample = 0.02;
    const auto found = bench::measure_call(small_relu(), backends, options);
    CAPTURE(request.backend, found[0].problem, found[0].capture_problem);
    CHECK(found[0].repeats > 1);
    CHECK(found[0].captured == (request.backend == "emu"));
    CHECK(found[0].capture_problem.empty());
    CHECK(found[0].warm.size() == 2);
  }
}

TEST_CASE("bench: a row that cannot be recorded says why, and is timed in a loop", "[bench]") {
  const GpuBackend* emulator = find_gpu_backend("emu");
  if (!emulator) return;
  KernelTable looking = *emulator->kernels;
  looking.name = "looking";
  looking.relu_forward = looking_relu;
  auto memory = std::make_shared<CachingAllocator>(emulator->open(0));
  memory_of_relu = memory.get();
  std::vector<bench::OpenBackend> backends;
  backends.emplace_back("looking", std::make_unique<Device>("emu", looking, memory, 1),
                        sizeof(float));
  bench::MeasureOptions options{.samples = 2, .seconds = 0, .cold = false, .check = false};
  options.shortest_sample = 0.02;
  const auto found = bench::measure_call(small_relu(), backends, options);
  CHECK(found[0].problem.empty());
  CHECK(found[0].warm.size() == 2);
  CHECK_FALSE(found[0].captured);
  CHECK_THAT(found[0].capture_problem, ContainsSubstring("reads a result on the host"));
  bench::Report report{.title = "", .environment = {}, .backends = {"looking"}};
  report.kernels.push_back({0, 0, {small_relu(), {"any"}}, found});
  CHECK_THAT(bench::table_lines(report, report.kernels[0]),
             ContainsSubstring("(no graph: capture: "));
  CHECK(bench::to_json(report)["rows"][0]["captured"] == false);
}

TEST_CASE("bench: whole steps are timed on every backend, one's failure is its own", "[bench]") {
  KernelTable missing = with_relu("missing", nullptr);
  missing.maps = Maps::none;
  const auto open = [](const KernelTable& table) {
    return std::make_unique<Device>(
        "cpu", table, std::make_shared<CachingAllocator>(std::make_unique<SystemAllocator>()), 2);
  };
  const std::vector<bench::ClosedBackend> backends{{"native", [&] { return open(cpu::table()); }},
                                                   {"missing", [&] { return open(missing); }}};
  const auto step = bench::record_training_step(test::kTinyUNet, 2, 16);
  const auto found = bench::measure_step(step, backends, kQuick);
  REQUIRE(found.size() == 2);
  CHECK(found[0].seconds.size() == 2);
  CHECK(found[0].mode == "eager");
  // Besides what the plan counts there is scratch memory.
  CHECK(found[0].peak_bytes >= step.planned_bytes);
  CHECK(found[1].problem == "unsupported: the backend 'missing' has no kernel relu_forward");
  CHECK(found[1].seconds.empty());
}
