#include "benchmarks/gpu_kit/predict.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "benchmarks/suite/record.h"
#include "engine/base/check.h"
#include "engine/base/json.h"
#include "engine/runtime/modes.h"

#if defined(GLIA_HAS_EMU) || defined(GLIA_HAS_CUDA)
#include "kernels/cuda/conv/conv_choice.h"
#endif

namespace glia::kit {

namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::int64_t base_width = 64, batch_size = 12, size = 240;
  int multiprocessors = 132;
  double clock_ghz = 1.755;  // an H200's, as it keeps it under load
  std::string precision = "tf32";
  bool json = false;
};

#if defined(GLIA_HAS_EMU) || defined(GLIA_HAS_CUDA)

ConvGeometry geometry_of(const bench::Call& call) {
  const bench::Extent& e = call.extent;
  const ConvSpec spec{.stride_h = e.stride,
                      .stride_w = e.stride_w,
                      .padding = {e.pad, e.pad, e.pad_left, e.pad_left}};
  const Shape x{e.N, e.H, e.W, e.C};
  if (call.op == "conv2d") return conv2d_geometry(x, {e.K, e.R, e.S, e.C}, spec);
  return conv_transpose2d_geometry(x, {e.C, e.R, e.S, e.K}, spec);
}

Json row_of(const KernelContext& context, const bench::Call& call, double clock_ghz) {
  const ConvForecast f = forecast(context, pass_of(call.op, call.phase), geometry_of(call));
  const double seconds = f.cycles / (clock_ghz * 1e9);
  return {{"layer", call.layer},
          {"kernel", call.kernel},
          {"call", call.extent.str()},
          {"tensor_cores", is_on_tensor_cores(f.algorithm)},
          {"tile", fmt::format("{}x{}", f.rows, f.columns)},
          {"splits", f.splits},
          {"blocks", f.blocks},
          {"ms", 1e3 * seconds},
          {"tflops", call.flops / seconds / 1e12}};
}

void run(const Options& o) {
  KernelContext context;
  context.precision = parse_precision(o.precision);
  context.multiprocessors = o.multiprocessors;
  UNetConfig config;
  config.base_width = o.base_width;
  const auto step = bench::record_training_step(config, o.batch_size, o.size);
  Json rows = Json::array();
  double seconds = 0, flops = 0;
  for (const bench::Call& call : step.calls) {
    if (!call.op.starts_with("conv") || call.extent.K == 0) continue;
    rows.push_back(row_of(context, call, o.clock_ghz));
    seconds += rows.back()["ms"].get<double>() / 1e3;
    flops += call.flops;
  }
  const Json found{{"what", "predicted by a model; no GPU has measured it"},
                   {"precision", o.precision},
                   {"base_width", o.base_width},
                   {"batch_size", o.batch_size},
                   {"size", o.size},
                   {"multiprocessors", o.multiprocessors},
                   {"clock_ghz", o.clock_ghz},
                   {"convolutions_ms", 1e3 * seconds},
                   {"convolutions_tflops", flops / seconds / 1e12},
                   {"rows", rows}};
  if (o.json) return fmt::print("{}\n", json_text(found, 1));
  fmt::print("{:<22} {:<26} {:<30} {:>8} {:>6} {:>6} {:>7} {:>8}\n", "layer", "kernel", "call",
             "tile", "splits", "blocks", "ms", "TFLOP/s");
  for (const Json& row : rows)
    fmt::print("{:<22} {:<26} {:<30} {:>8} {:>6} {:>6} {:>7.3f} {:>8.0f}{}\n",
               row["layer"].get<std::string>(), row["kernel"].get<std::string>(),
               row["call"].get<std::string>(), row["tile"].get<std::string>(),
               row["splits"].get<int>(), row["blocks"].get<std::int64_t>(), row["ms"].get<double>(),
               row["tflops"].get<double>(), row["tensor_cores"].get<bool>() ? "" : "  fp32");
  fmt::print("all convolutions: {:.2f} ms, {:.0f} TFLOP/s ({})\n", 1e3 * seconds,
             flops / seconds / 1e12, found["what"].get<std::string>());
}

#else

void run(const Options&) {
  fail(
      "predict: this program was built without the GPU kernels, whose choices it asks; build it "
      "where nvcc or a CUDA toolkit's headers are");
}

#endif

}  // namespace

void add_predict(CLI::App& app) {
  auto* command =
      app.add_subcommand("predict",
                         "What the models behind the kernels' choices expect of a training step's "
                         "convolutions");
  auto o = std::make_shared<Options>();
  command->add_option("--base-width", o->base_width, "Of the U-Net");
  command->add_option("--batch-size", o->batch_size);
  command->add_option("--size", o->size, "Pixels a side");
  command->add_option("--precision", o->precision, "fp32, tf32 or bf16");
  command->add_option("--multiprocessors", o->multiprocessors, "Of the GPU")
      ->check(CLI::Range(1, 1024));
  command->add_option("--clock-ghz", o->clock_ghz, "Of the GPU")->check(CLI::PositiveNumber);
  command->add_flag("--json", o->json, "As JSON");
  command->footer("Example:\n  gpu-kit predict --batch-size 12 --precision tf32");
  command->callback([o] { run(*o); });
}

}  // namespace glia::kit
