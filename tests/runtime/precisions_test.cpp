// --precision: its names, what each device has, what is taken and what is refused.
#include "engine/runtime/precisions.h"

#include <memory>

#include "engine/runtime/cpu_backends.h"
#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/open_device.h"
#include "engine/runtime/plan_device.h"
#include "tests/catch.h"

namespace glia {

namespace {

using Precisions = std::vector<ConvPrecision>;

constexpr KernelTable kGpu{.name = "gpu", .tf32 = true}, kLibrary{.name = "library"};

/// What opening a device says of its precision.
std::vector<std::string> said(const DeviceRequest& request) {
  std::vector<std::string> lines;
  open_device(request, [&](const std::string& line) {
    if (line.starts_with("precision:")) lines.push_back(line);
  });
  return lines;
}

}  // namespace

TEST_CASE("precision: names, and auto where it is left open", "[runtime]") {
  CHECK(precision_choices() == std::vector<std::string>{"auto", "fp32", "tf32", "bf16"});
  for (const std::string& name : precision_choices())
    CHECK(name_of(parse_precision_choice(name)) == name);
  CHECK_FALSE(parse_precision_choice("auto").has_value());
  for (const char* name : {"fp32", "tf32", "bf16"})
    CHECK(name_of(parse_precision(name)) == std::string(name));
  CHECK_THROWS_WITH(parse_precision("auto"),
                    "--precision: found 'auto', expected fp32, tf32, bf16");
  CHECK_THROWS_WITH(parse_precision_choice("fp16"),
                    "--precision: found 'fp16', expected auto, fp32, tf32, bf16");
}

TEST_CASE("precision: GPUs compute in tf32 unless asked for fp32, the CPU in fp32", "[runtime]") {
  CHECK((precisions_of(kGpu) == Precisions{ConvPrecision::tf32, ConvPrecision::fp32}));
  CHECK((precisions_of(kLibrary) == Precisions{ConvPrecision::fp32}));
  for (const BuiltBackend& built : built_backends()) {
    CAPTURE(built.name);
    const Precisions able = precisions_of(*built.kernels);
    CHECK(built.kernels->tf32 == (find_gpu_backend(built.name) != nullptr));
    CHECK((able.front() == (built.kernels->tf32 ? ConvPrecision::tf32 : ConvPrecision::fp32)));
    const bool bf16 = built.kernels->in_bf16 != nullptr ||
                      (built.name == "cpu" && cpu_bf16_instructions() != nullptr);
    CHECK((able.back() == ConvPrecision::bf16) == bf16);
    // Every GPU backend, NVIDIA's too, stores activations in bf16 by a table of the same name.
    CHECK((built.kernels->in_bf16 != nullptr) == (find_gpu_backend(built.name) != nullptr));
    if (const KernelTable* narrow = built.kernels->in_bf16) {
      CHECK(narrow->name == std::string(built.kernels->name));
      CHECK((narrow->activations == DType::bf16));
      CHECK((narrow->parameters == DType::f32));
      CHECK(narrow->in_bf16 == nullptr);
    }
  }
  CHECK((take_precision(kGpu, {}, "gpu") == ConvPrecision::tf32));
  CHECK((take_precision(kGpu, ConvPrecision::fp32, "gpu") == ConvPrecision::fp32));
  CHECK((take_precision(kLibrary, {}, "library") == ConvPrecision::fp32));
  CHECK((PlanTarget::gpu({}).precision == ConvPrecision::tf32));
  CHECK((PlanTarget::gpu(ConvPrecision::fp32).precision == ConvPrecision::fp32));
  CHECK((PlanTarget::gpu(ConvPrecision::bf16).precision == ConvPrecision::bf16));
}

TEST_CASE("precision: what a device cannot do is refused with what it can", "[runtime]") {
  CHECK_THROWS_WITH(take_precision(kLibrary, ConvPrecision::tf32, "cpu with --backend library"),
                    "--precision tf32 is for GPUs, and the device is cpu with --backend library; "
                    "choose --precision fp32, or --device cuda or --backend emu");
  CHECK_THROWS_WITH(
      take_precision(kGpu, ConvPrecision::bf16, "cuda:0 with --backend library"),
      "--precision bf16 is for Glia's own kernels and NVIDIA's, and the device is "
      "cuda:0 with --backend library; choose --precision tf32 or fp32, or --backend native");
  CHECK_THROWS_AS(open_device({.device = "cpu", .precision = ConvPrecision::tf32}),
                  UnsupportedPrecision);
  if (find_cpu_backend("onednn"))
    for (const ConvPrecision asked : {ConvPrecision::tf32, ConvPrecision::bf16})
      CHECK_THROWS_WITH(
          open_device({.device = "cpu", .backend = "onednn", .precision = asked}),
          ContainsSubstring(
              "the device is cpu with --backend onednn; choose --precision fp32, or"));
  if (cpu_bf16_instructions() == nullptr)
    CHECK_THROWS_WITH(
        open_device({.device = "cpu", .precision = ConvPrecision::bf16}),
        "--precision bf16 needs AMX (amx_bf16) or AVX512-BF16 (avx512_bf16), and this "
        "processor has no instructions of either; choose --precision fp32, or a "
        "processor that has one of them");
}

TEST_CASE("precision: the device's context has what was taken, and it is said once", "[runtime]") {
  const auto cpu = open_device({.device = "cpu"});
  CHECK((cpu->context().precision == ConvPrecision::fp32));
  CHECK(said({.device = "cpu"}).empty());
  if (!find_gpu_backend("emu")) return;
  const DeviceRequest emulator{.device = "cpu", .backend = "emu"};
  CHECK((open_device(emulator)->context().precision == ConvPrecision::tf32));
  CHECK(said(emulator) ==
        std::vector<std::string>{
            "precision: convolutions in tf32, summed in fp32; --precision fp32 is exact"});
  DeviceRequest exact = emulator;
  exact.precision = ConvPrecision::fp32;
  CHECK((open_device(exact)->context().precision == ConvPrecision::fp32));
  CHECK((open_device(exact)->kernels().activations == DType::f32));
  CHECK(said(exact).empty());
  DeviceRequest narrow = emulator;
  narrow.precision = ConvPrecision::bf16;
  CHECK((open_device(narrow)->context().precision == ConvPrecision::bf16));
  CHECK((open_device(narrow)->kernels().activations == DType::bf16));
  CHECK((open_device(narrow)->kernels().parameters == DType::f32));
  CHECK(said(narrow) ==
        std::vector<std::string>{"precision: activations in bf16, sums, parameters and losses in "
                                 "fp32; --precision fp32 is exact"});
}

TEST_CASE("precision: a device that is given a table in bf16 computes in bf16", "[runtime]") {
  static constexpr KernelTable kNarrow{.name = "gpu", .activations = DType::bf16};
  static constexpr KernelTable kWide{.name = "gpu", .in_bf16 = &kNarrow, .tf32 = true};
  Device narrow("gpu", kNarrow, std::make_shared<NoMemory>(), 1);
  CHECK((narrow.context().precision == ConvPrecision::bf16));
  Device wide("gpu", kWide, std::make_shared<NoMemory>(), 1);
  CHECK((wide.context().precision == ConvPrecision::fp32));
  wide.context().precision = ConvPrecision::tf32;
  wide.use(*wide.kernels().in_bf16);
  CHECK((wide.context().precision == ConvPrecision::bf16));
}

}  // namespace glia
