#include "benchmarks/suite/peaks.h"

#include <fmt/format.h>

#include <algorithm>

namespace glia::bench {

std::string ceilings_text(const std::vector<Ceiling>& ceilings) {
  std::size_t device = 0, by = 0;
  for (const Ceiling& c : ceilings) {
    device = std::max(device, c.device.size());
    by = std::max(by, c.by.size());
  }
  std::string text;
  for (const Ceiling& c : ceilings) {
    const std::string rate = c.problem.empty() ? fmt::format("{:.4g} {}", 1e-9 * c.best,
                                                             c.what == kCopy ? "GB/s" : "GFLOP/s")
                                               : c.problem;
    text += fmt::format("  {:<{}}  {:<4}  {:<{}}  {}\n", c.device, device, c.what, c.by, by, rate);
  }
  return text;
}

nlohmann::ordered_json ceilings_json(const std::vector<Ceiling>& ceilings) {
  auto json = nlohmann::ordered_json::array();
  for (const Ceiling& c : ceilings) {
    nlohmann::ordered_json entry = {
        {"device", c.device},  {"what", c.what},
        {"by", c.by},          {"unit", c.what == kCopy ? "byte/s" : "flop/s"},
        {"best", nullptr},     {"median", nullptr},
        {"problem", c.problem}};
    if (c.problem.empty()) {
      entry["best"] = c.best;
      entry["median"] = c.median;
    }
    json.push_back(std::move(entry));
  }
  return json;
}

double Peaks::rate(Arithmetic arithmetic) const {
  switch (arithmetic) {
    case Arithmetic::fp32: return flops;
    case Arithmetic::tf32: return tf32;
    case Arithmetic::bf16: return bf16;
  }
  return 0;
}

nlohmann::ordered_json peaks_json(const Peaks& peaks) {
  return {{"flops_per_s", peaks.flops},
          {"bytes_per_s", peaks.bytes},
          {"tf32_flops_per_s", peaks.tf32},
          {"bf16_flops_per_s", peaks.bf16}};
}

Peaks peaks_of(const std::vector<Ceiling>& ceilings, const std::string& device) {
  const auto best = [&](const char* what) {
    double highest = 0;
    for (const Ceiling& c : ceilings)
      if (c.device == device && c.what == what) highest = std::max(highest, c.best);
    return highest;
  };
  return {.flops = best(name_of(Arithmetic::fp32)),
          .bytes = best(kCopy),
          .tf32 = best(name_of(Arithmetic::tf32)),
          .bf16 = best(name_of(Arithmetic::bf16))};
}

Roof roof(const Peaks& peaks, double flops, double bytes, Arithmetic arithmetic) {
  const double rate = peaks.rate(arithmetic);
  if (rate == 0 || peaks.bytes == 0) return {};
  const double compute = flops / rate, memory = bytes / peaks.bytes;
  return {std::max(compute, memory), compute > memory};
}

}  // namespace glia::bench
