// What a machine does at best: what is measured, what is refused, and what follows for the rows.
#include <bit>
#include <set>

#include "benchmarks/suite/ceilings.h"
#include "benchmarks/suite/report.h"
#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/open_device.h"
#include "engine/tensor/tensor.h"
#include "tests/apps/tiny_unet.h"
#include "tests/catch.h"

using namespace glia;

namespace {

std::unique_ptr<Device> open_emulator() {
  if (!find_gpu_backend("emu")) return nullptr;
  return open_device({.device = "cpu", .backend = "emu"});
}

/// Few samples of little.
bench::CeilingOptions tiny_options() {
  return {.copy_bytes = 4096, .samples = 2, .sample_seconds = 0, .product_extent = 16};
}

const bench::Ceiling* find_ceiling(const std::vector<bench::Ceiling>& ceilings,
                                   const std::string& what, const std::string& by) {
  for (const bench::Ceiling& c : ceilings)
    if (c.what == what && c.by == by) return &c;
  return nullptr;
}

Device* computing = nullptr;  // whose memory `products` finds its operands in

std::vector<double> read_matrix(const void* from, std::int64_t extent, bool bf16) {
  const auto count = static_cast<std::size_t>(extent * extent);
  std::vector<double> values;
  if (!bf16) {
    std::vector<float> raw(count);
    computing->allocator().copy_out(raw.data(), from, count * sizeof(float));
    return {raw.begin(), raw.end()};
  }
  std::vector<std::uint16_t> raw(count);
  computing->allocator().copy_out(raw.data(), from, count * sizeof(std::uint16_t));
  for (const std::uint16_t half : raw)
    values.push_back(std::bit_cast<float>(std::uint32_t{half} << 16));
  return values;
}

/// A product on the host, in place of a vendor's; `factor` times what it should be.
void host_product(Arithmetic arithmetic, std::int64_t n, const void* a, const void* b, void* c,
                  double factor) {
  const bool bf16 = arithmetic == Arithmetic::bf16;
  const auto left = read_matrix(a, n, bf16), right = read_matrix(b, n, bf16);
  std::vector<float> result;
  std::vector<std::uint16_t> halves;
  for (std::int64_t row = 0; row < n; ++row)
    for (std::int64_t column = 0; column < n; ++column) {
      double sum = 0;
      for (std::int64_t k = 0; k < n; ++k)
        sum += left[static_cast<std::size_t>(row * n + k)] *
               right[static_cast<std::size_t>(k * n + column)];
      result.push_back(static_cast<float>(factor * sum));
      halves.push_back(static_cast<std::uint16_t>(
          (std::bit_cast<std::uint32_t>(result.back()) + 0x8000u) >> 16));
    }
  if (bf16)
    computing->allocator().copy_in(c, halves.data(), halves.size() * sizeof(std::uint16_t));
  else
    computing->allocator().copy_in(c, result.data(), result.size() * sizeof(float));
}

/// The emulator's work with that product.
PeakWork with_product(bool wrong) {
  PeakWork work = *find_gpu_backend("emu")->peaks;
  work.product_by = "host";
  if (wrong)
    work.product = [](KernelContext&, Arithmetic arithmetic, std::int64_t extent, const void* a,
                      const void* b, void* c) { host_product(arithmetic, extent, a, b, c, 2); };
  else
    work.product = [](KernelContext&, Arithmetic arithmetic, std::int64_t extent, const void* a,
                      const void* b, void* c) { host_product(arithmetic, extent, a, b, c, 1); };
  return work;
}

}  // namespace

TEST_CASE("bench: a CPU's ceilings are its copy and fp32, and are measured once", "[bench]") {
  const auto cpu = make_cpu_device(1);
  std::vector<bench::Ceiling> found;
  bench::measure_ceilings(*cpu, tiny_options(), found);
  REQUIRE(found.size() == 2);
  for (const bench::Ceiling& c : found) {
    CHECK(c.device == "cpu");
    CHECK(c.problem.empty());
    CHECK(c.median > 0);
    CHECK(c.best >= c.median);
  }
  const double before = found[0].best;
  bench::measure_ceilings(*cpu, tiny_options(), found);
  CHECK(found.size() == 2);
  CHECK(found[0].best == before);
  const bench::Peaks peaks = bench::peaks_of(found, "cpu");
  CHECK(peaks.known());
  CHECK(peaks.tf32 == 0);
  CHECK_FALSE(bench::peaks_of(found, "cuda:0").known());
}

TEST_CASE("bench: a GPU's ceilings, ours and a library's, are measured on the emulator",
          "[bench]") {
  const auto device = open_emulator();
  if (!device) return;
  computing = device.get();
  std::vector<bench::Ceiling> found;
  bench::measure_ceilings(*device, tiny_options(), with_product(false), found);
  REQUIRE(found.size() == 8);
  std::set<std::string> kinds;
  for (const bench::Ceiling& c : found) {
    CAPTURE(c.what, c.by);
    CHECK(c.problem.empty());
    CHECK(c.best >= c.median);
    CHECK(c.median > 0);
    kinds.insert(c.what);
  }
  CHECK(kinds == std::set<std::string>{"bf16", "copy", "fp32", "tf32"});
  CHECK(find_ceiling(found, "copy", "the driver"));
  CHECK(find_ceiling(found, "bf16", "host, 16x16"));
  // What the backend says itself adds nothing that is not there.
  bench::measure_ceilings(*device, tiny_options(), found);
  CHECK(found.size() == 8);
}

TEST_CASE("bench: a ceiling whose result is wrong is none", "[bench]") {
  const auto device = open_emulator();
  if (!device) return;
  computing = device.get();
  PeakWork wrong = with_product(true);
  wrong.copy = [](const KernelContext&, void*, const void*, std::size_t) {};
  // Half the rounds that it says.
  wrong.multiply_adds = [](const KernelContext& context, Arithmetic arithmetic, int rounds,
                           float* results) {
    const PeakWork& right = *find_gpu_backend("emu")->peaks;
    return 2 * right.multiply_adds(context, arithmetic, rounds / 2, results);
  };
  std::vector<bench::Ceiling> found;
  bench::measure_ceilings(*device, tiny_options(), wrong, found);
  REQUIRE(found.size() == 8);
  for (const bench::Ceiling& c : found) {
    CAPTURE(c.what, c.by, c.problem);
    CHECK(c.problem.empty() == (c.by == "our kernel"));
    CHECK((c.best > 0) == c.problem.empty());
  }
  CHECK_THAT(find_ceiling(found, "copy", "the driver")->problem,
             ContainsSubstring("is not what was copied"));
  CHECK_THAT(find_ceiling(found, "tf32", "host, 16x16")->problem, ContainsSubstring("16x16 gave"));
  const auto json = bench::ceilings_json(found);
  CHECK(json[1]["best"].is_null());
  CHECK_FALSE(json[1]["problem"].get<std::string>().empty());
  CHECK_THAT(bench::ceilings_text(found), ContainsSubstring("is not what was copied"));
}

TEST_CASE("bench: a lack of memory names the flag that helps", "[bench]") {
  const auto device = open_emulator();
  if (!device) return;
  bench::CeilingOptions large = tiny_options();
  large.copy_bytes = std::size_t{1} << 40;
  std::vector<bench::Ceiling> found;
  bench::measure_ceilings(*device, large, found);
  CHECK_THAT(found[0].problem, ContainsSubstring("choose a smaller --copy-mib"));
}

TEST_CASE("bench: sizes of what is copied", "[bench]") {
  const auto cpu = make_cpu_device(1);
  CHECK(bench::ceiling_options(*cpu, 128 << 20, 0).copy_bytes == 128 << 20);
  CHECK(bench::ceiling_options(*cpu, 128 << 20, 7 << 20).copy_bytes == 7 << 20);
  const auto device = open_emulator();
  if (!device) return;
  CHECK(bench::ceiling_options(*device, 128 << 20, 0).copy_bytes == 1 << 20);
  CHECK(bench::ceiling_options(*device, 128 << 20, 7 << 20).copy_bytes == 7 << 20);
}

TEST_CASE("bench: a row is measured against the ceiling of its own arithmetic", "[bench]") {
  const std::vector<bench::Ceiling> ceilings{
      {.device = "cuda:0", .what = "copy", .by = "ours", .best = 1e12, .median = 9e11},
      {.device = "cuda:0", .what = "copy", .by = "the driver", .best = 2e12, .median = 2e12},
      {.device = "cuda:0", .what = "fp32", .by = "ours", .best = 1e9, .median = 9e8},
      {.device = "cuda:0", .what = "tf32", .by = "ours", .best = 8e9, .median = 8e9},
      {.device = "emu", .what = "fp32", .by = "ours", .best = 1e15, .median = 1e15}};
  const bench::Peaks peaks = bench::peaks_of(ceilings, "cuda:0");
  CHECK(peaks.bytes == 2e12);  // the better of the two
  CHECK(peaks.flops == 1e9);
  CHECK(bench::roof(peaks, 8e9, 0).seconds == 8);
  CHECK(bench::roof(peaks, 8e9, 0, Arithmetic::tf32).seconds == 1);
  CHECK(bench::roof(peaks, 8e9, 0, Arithmetic::bf16).seconds == 0);  // not known

  bench::Report report{.title = "", .environment = {}, .backends = {"ours", "tf32", "bf16"}};
  report.ceilings = ceilings;
  report.peaks = peaks;
  const auto step = bench::record_training_step(test::kTinyUNet, 2, 16);
  const bench::Row row{step.calls.front(), {"encoder.0.conv1"}};
  bench::KernelResult result{4, 2, row, {}};
  for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::tf32, Arithmetic::bf16}) {
    result.measurements.push_back({.backend = "any", .warm = {1}});
    result.measurements.back().arithmetic = arithmetic;
  }
  report.kernels.push_back(result);
  const auto json = bench::to_json(report);
  CHECK(json["rows"][0]["arithmetic"] == "fp32");
  CHECK(json["rows"][0]["roofline_s"].get<double>() == Approx(row.call.flops / 1e9));
  CHECK(json["rows"][1]["arithmetic"] == "tf32");
  CHECK(json["rows"][1]["roofline_s"].get<double>() == Approx(row.call.flops / 8e9));
  CHECK(json["rows"][2]["roofline_s"].is_null());
  CHECK(json["ceilings"].size() == 5);
  CHECK(json["ceilings"][0]["unit"] == "byte/s");
  CHECK(json["ceilings"][2]["unit"] == "flop/s");
  CHECK(json["ceilings"][2]["best"] == 1e9);
  CHECK(json["ceilings"][2]["median"] == 9e8);
  CHECK(json["peaks"]["flops_per_s"] == 1e9);
  CHECK(json["peaks"]["tf32_flops_per_s"] == 8e9);
  CHECK(json["peaks"]["bf16_flops_per_s"] == 0);
}
