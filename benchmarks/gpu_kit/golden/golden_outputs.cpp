#include "benchmarks/gpu_kit/golden/golden_outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "benchmarks/gpu_kit/golden/ptx_outputs_of.h"
#include "benchmarks/suite/case_rows.h"
#include "benchmarks/suite/reference.h"
#include "benchmarks/suite/replay.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/open_device.h"

namespace glia::kit {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kKept = 32;  // elements of an operation's result, beside the hash of all
// Of the largest element: other orders of sums, other exp; and another rounding of what is stored.
constexpr double kOperationBound = 2e-5, kOperationBoundInBf16 = 0x1p-7;
constexpr std::string_view kInBf16 = " in bf16";

struct Options {
  std::string backend = "emu", expect, write;
  bool require_same = false;
};

std::string hash_of(const std::vector<std::byte>& bytes) {
  return hash_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::vector<double> numbers_of(const Operand& operand, const std::vector<std::byte>& bytes) {
  ConstView view = operand.view;
  view.data = bytes.data();
  std::vector<double> numbers;
  const auto kept = std::min<std::int64_t>(view.shape.numel(), kKept);
  for (std::int64_t i = 0; i < kept; ++i)
    numbers.push_back(bench::element(view, {i / view.channels(), i % view.channels()}));
  return numbers;
}

/// Channels of which tensor cores take all.
std::map<std::string, bench::Call> calls_in(ConvPrecision precision) {
  switch (precision) {
    case ConvPrecision::fp32: return bench::call_of_each_kernel();
    case ConvPrecision::tf32: return bench::call_of_each_kernel(8, 12);
    case ConvPrecision::bf16: return bench::call_of_each_kernel(8, 16, DType::bf16);
  }
  return {};
}

/// What it adds to the results of fp32.
bool differs_in(ConvPrecision precision, const bench::Call& call) {
  switch (precision) {
    case ConvPrecision::fp32: return true;
    case ConvPrecision::tf32: return call.op.starts_with("conv");
    case ConvPrecision::bf16: return call.type() == DType::bf16;
  }
  return false;
}

/// The results of a call of every kernel that the device has and that this precision changes.
void add_operations(Device& device, ConvPrecision precision, Json& found) {
  device.context().precision = precision;
  const bool in_bf16 = precision == ConvPrecision::bf16;
  if (in_bf16) device.use(*device.kernels().in_bf16);
  const std::string suffix(in_bf16 ? kInBf16 : precision == ConvPrecision::tf32 ? " in tf32" : "");
  for (const auto& entry : calls_in(precision)) {
    const std::string& kernel = entry.first;
    const bench::Call& call = entry.second;
    const auto row = std::find_if(std::begin(kKernels), std::end(kKernels),
                                  [&](const KernelInfo& info) { return info.name == kernel; });
    if (!has_kernel(device.kernels(), row->id) || !differs_in(precision, call)) continue;
    const bench::Contents contents(call, 1);
    bench::Replay replay(device, call, contents);
    replay.run();
    for (std::size_t i = 0; i < call.operands.size(); ++i) {
      const Operand& operand = call.operands[i];
      if (operand.role == Role::in || operand.content == Content::unchecked) continue;
      const std::vector<std::byte> bytes = replay.read(i);
      found[fmt::format("{} {}{}", kernel, operand.name, suffix)] = {
          {"bits", hash_of(bytes)}, {"numbers", numbers_of(operand, bytes)}};
    }
  }
}

/// What each instruction of ptx.h gives; null where the device has it not.
Json instructions_on(Device& device, const std::string& backend, int major) {
  Json found;
  for (const PtxOutput& output : ptx_outputs_of(backend)) {
    if (output.major > major) {
      found[output.name] = nullptr;
      continue;
    }
    const Tensor words = Tensor::zeros(device, {32 * kGoldenWords});
    output.run(device.context().stream, words.view().as<float>());
    std::vector<std::uint32_t> bits(static_cast<std::size_t>(words.numel()));
    device.allocator().copy_out(bits.data(), words.view().data, 4 * bits.size());
    found[output.name] = bits;
  }
  return found;
}

/// A line an output, so that people can compare two files.
std::string in_lines(const Json& found) {
  std::string text = fmt::format("{{\"written_by\": {}", json_text(found.at("written_by")));
  for (const char* part : {"instructions", "operations"}) {
    text += fmt::format(",\n\"{}\": {{", part);
    const char* separator = "\n";
    for (const auto& [name, value] : found.at(part).items()) {
      text += fmt::format("{}{}: {}", separator, json_text(Json(name)), json_text(value));
      separator = ",\n";
    }
    text += "}";
  }
  return text + "}\n";
}

/// By how much the numbers differ, relative to the largest expected; infinite where a NaN or
/// another count is.
double difference(const Json& found, const Json& expected) {
  if (found.size() != expected.size()) return INFINITY;
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (found[i] == expected[i]) continue;  // NaN and infinity are null in JSON
    if (!found[i].is_number() || !expected[i].is_number()) return INFINITY;
    worst = std::max(worst, std::abs(found[i].get<double>() - expected[i].get<double>()));
  }
  for (const Json& e : expected)
    if (e.is_number()) largest = std::max(largest, std::abs(e.get<double>()));
  return worst == 0 ? 0 : worst / largest;
}

/// What differs: instructions by their bits, operations by more than the bound.
Json compare(const Json& found, const Json& expected) {
  Json report{{"expected_from", expected.at("written_by")},
              {"instructions", Json::object()},
              {"operations", Json::object()}};
  bool same = true;
  std::size_t bits = 0;
  double worst = 0;
  for (const auto& [name, value] : expected.at("instructions").items()) {
    const Json& here = found.at("instructions").value(name, Json());
    if (here.is_null() || value.is_null()) {
      report["instructions"][name] = "not on this device, or not in the file";
    } else if (here != value) {
      report["instructions"][name] = "other bits";
      same = false;
    }
  }
  for (const auto& [name, value] : expected.at("operations").items()) {
    if (!found.at("operations").contains(name)) {
      report["operations"][name] = "missing";
      same = false;
      continue;
    }
    const Json& here = found.at("operations").at(name);
    bits += here.at("bits") == value.at("bits");
    const double far = difference(here.at("numbers"), value.at("numbers"));
    worst = std::max(worst, far);
    if (!(far <= (name.ends_with(kInBf16) ? kOperationBoundInBf16 : kOperationBound))) {
      report["operations"][name] = far;
      same = false;
    }
  }
  report["operations_with_the_same_bits"] =
      fmt::format("{} of {}", bits, expected.at("operations").size());
  report["largest_difference"] = worst;
  report["same"] = same;
  return report;
}

std::string backends_of_this_build() {
  std::string names;
  for (const char* name : {"emu", "cuda"})
    if (!ptx_outputs_of(name).empty()) names += (names.empty() ? "" : " or ") + std::string(name);
  return names.empty() ? "a build with the CUDA kernels" : names;
}

void run(const Options& o) {
  check(!o.expect.empty() || !o.write.empty(),
        "found neither --expect nor --write; give a file to compare with, or one to write");
  const GpuBackend* backend = find_gpu_backend(o.backend);
  check(backend != nullptr && !ptx_outputs_of(o.backend).empty(),
        "--backend: found '{}', expected {}", o.backend, backends_of_this_build());
  const GpuSurvey survey = backend->survey(SurveyOf::until_usable);
  const bool emulator = o.backend == "emu";
  const auto device =
      open_device({.device = emulator ? "cpu" : "cuda", .backend = emulator ? "emu" : "native"},
                  [](const std::string&) {});
  const GpuInfo& gpu = survey.gpus.back();
  Json found{
      {"written_by", emulator ? "the emulator as a Hopper; no GPU has confirmed it" : gpu.name}};
  // The emulator has all instructions, whatever GPU it says it is.
  found["instructions"] = instructions_on(*device, o.backend, emulator ? 9 : gpu.major);
  for (const ConvPrecision precision :
       {ConvPrecision::fp32, ConvPrecision::tf32, ConvPrecision::bf16})
    add_operations(*device, precision, found["operations"]);
  // Through text, so that what is compared is what a file holds.
  found = parse_json<Json>(json_text(found), "gpu-kit golden");
  if (!o.write.empty()) write_file_atomically(o.write, in_lines(found));
  if (o.expect.empty()) return;
  const Json report = compare(found, parse_json<Json>(read_file(o.expect), o.expect));
  fmt::print("{}\n", json_text(report, 1));
  check(report.at("same").get<bool>() || !o.require_same, "{}: the outputs differ, as listed",
        o.expect);
}

}  // namespace

void add_golden(CLI::App& app) {
  auto* command = app.add_subcommand(
      "golden", "What every instruction and every kernel gives on a GPU, or in the emulator");
  auto o = std::make_shared<Options>();
  command->add_option("--backend", o->backend, "emu or cuda");
  command->add_option("--expect", o->expect,
                      "File to compare with; what differs is printed as JSON");
  command->add_flag("--require-same", o->require_same, "Fail where outputs differ");
  command->add_option("--write", o->write, "File for the outputs of this device");
  command->footer(
      "Example:\n  gpu-kit golden --backend emu --expect benchmarks/gpu_kit/golden.json");
  command->callback([o] { run(*o); });
}

}  // namespace glia::kit
