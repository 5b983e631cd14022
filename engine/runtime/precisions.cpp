#include "engine/runtime/precisions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "engine/runtime/device.h"

namespace glia {

namespace {

bool is_own_cpu(const KernelTable& kernels) {
  return kernels.name == std::string_view("cpu");
}

UnsupportedPrecision refusal(const KernelTable& kernels, ConvPrecision asked,
                             const std::vector<ConvPrecision>& able, const std::string& device) {
  std::string why =
      fmt::format("is for Glia's own kernels and NVIDIA's, and the device is {}", device);
  std::string elsewhere = "--backend native";
  if (asked == ConvPrecision::tf32) {
    why = fmt::format("is for GPUs, and the device is {}", device);
    elsewhere = "--device cuda or --backend emu";
  } else if (is_own_cpu(kernels)) {
    why =
        "needs AMX (amx_bf16) or AVX512-BF16 (avx512_bf16), and this processor has no "
        "instructions of either";
    elsewhere = "a processor that has one of them";
  }
  std::vector<std::string> names;
  for (const ConvPrecision precision : able) names.emplace_back(name_of(precision));
  return {fmt::format("--precision {} {}; choose --precision {}, or {}", name_of(asked), why,
                      fmt::join(names, " or "), elsewhere),
          why, elsewhere};
}

}  // namespace

std::vector<ConvPrecision> precisions_of(const KernelTable& kernels) {
  if (kernels.in_bf16) return {ConvPrecision::tf32, ConvPrecision::fp32, ConvPrecision::bf16};
  if (kernels.tf32) return {ConvPrecision::tf32, ConvPrecision::fp32};
  if (is_own_cpu(kernels) && cpu_bf16_instructions() != nullptr)
    return {ConvPrecision::fp32, ConvPrecision::bf16};
  return {ConvPrecision::fp32};
}

ConvPrecision take_precision(const KernelTable& kernels, std::optional<ConvPrecision> asked,
                             const std::string& device) {
  const std::vector<ConvPrecision> able = precisions_of(kernels);
  if (!asked) return able.front();
  if (std::find(able.begin(), able.end(), *asked) == able.end())
    throw refusal(kernels, *asked, able, device);
  return *asked;
}

}  // namespace glia
