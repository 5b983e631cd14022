// Whether a faster way to convolve trains as well: the loss of the first steps on real slices, for
// each of several ways and seeds. Writes every loss as JSON and a chart of means and ranges.
// Usage: loss_curves --data slices --list split/train.txt --out curves
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "engine/base/file.h"
#include "engine/data/dataset.h"
#include "engine/report/line_chart.h"
#include "engine/runtime/open_device.h"
#include "engine/train/train_step.h"
#include "kernels/cpu/table.h"
#include "models/unet/unet.h"

namespace glia {

namespace {

struct Options {
  std::string data, list, out;
  std::vector<std::string> ways{"direct", "auto"};
  std::int64_t base_width = 16, batch_size = 6, steps = 200, window = 10;
  std::uint64_t seeds = 3;
  int threads = 0;
};

using Curve = std::vector<double>;

/// The loss of each step with the same slices in the same order for all ways of one seed.
Curve train(const Options& o, const std::vector<Sample>& samples, const std::string& way,
            std::uint64_t seed) {
  DeviceRequest request{.device = "cpu", .threads = o.threads};
  if (way == name_of(ConvPrecision::bf16))
    request.precision = ConvPrecision::bf16;
  else
    request.conv = parse_conv(way);
  const auto device = open_device(request, [](const auto&) {});
  Loader loader(samples, Preprocess(),
                {.batch_size = o.batch_size,
                 .seed = seed,
                 .shuffle = true,
                 .drop_last = true,
                 .augment = {},
                 .threads = 0});
  UNet net({.in_channels = loader.channels(), .base_width = o.base_width});
  net.parameters().allocate(*device, seed);
  optim::Optimizer adam({}, net.parameters());
  const Objective objective = Objective::parse("iou", Region::batch, 1);
  TrainStep step(*device, net, adam, objective, seed);
  Curve losses;
  Batch batch;
  for (std::int64_t epoch = 1; static_cast<std::int64_t>(losses.size()) < o.steps; ++epoch) {
    loader.begin_epoch(epoch);
    while (static_cast<std::int64_t>(losses.size()) < o.steps && loader.next(batch)) {
      step.upload(batch);
      step.start(1e-3);
      losses.push_back(step.finish().loss);
    }
  }
  fmt::print(stderr, "{} seed {}: loss {:.4f} after {} steps\n", way, seed, losses.back(),
             losses.size());
  return losses;
}

/// Means over windows of steps; one curve a seed.
std::vector<Curve> smoothed(const std::vector<Curve>& curves, std::int64_t window) {
  std::vector<Curve> result;
  for (const Curve& curve : curves) {
    Curve means;
    for (auto first = curve.begin(); curve.end() - first >= window; first += window)
      means.push_back(std::accumulate(first, first + window, 0.0) / static_cast<double>(window));
    result.push_back(std::move(means));
  }
  return result;
}

Series series_of(const std::string& name, const std::vector<Curve>& curves, std::int64_t window) {
  Series series{.name = name};
  for (std::size_t i = 0; i < curves.front().size(); ++i) {
    double sum = 0, low = curves.front()[i], high = low;
    for (const Curve& curve : curves) {
      sum += curve[i];
      low = std::min(low, curve[i]);
      high = std::max(high, curve[i]);
    }
    series.x.push_back(static_cast<double>((static_cast<std::int64_t>(i) + 1) * window));
    series.y.push_back(sum / static_cast<double>(curves.size()));
    series.low.push_back(low);
    series.high.push_back(high);
  }
  return series;
}

/// How far the mean of `other` lies from that of `base`, in the range that the seeds of `base`
/// span: the mean over all windows and the largest.
nlohmann::ordered_json distance(const Series& base, const Series& other) {
  double sum = 0, worst = 0;
  for (std::size_t i = 0; i < base.y.size(); ++i) {
    const double ratio = std::abs(other.y[i] - base.y[i]) / (base.high[i] - base.low[i]);
    sum += ratio;
    worst = std::max(worst, ratio);
  }
  return {{"mean", sum / static_cast<double>(base.y.size())}, {"worst", worst}};
}

void run(const Options& o) {
  check(o.steps % o.window == 0, "--steps: found {}, expected a multiple of --window ({})", o.steps,
        o.window);
  const auto samples = select_samples(scan_pairs(o.data), o.list);
  LineChart chart{.title = fmt::format("Training loss, base width {}, batch {}, {} seeds",
                                       o.base_width, o.batch_size, o.seeds),
                  .x_label = fmt::format("step (means of {})", o.window),
                  .y_label = "-log IoU",
                  .whole_x = true};
  nlohmann::ordered_json losses, distances;
  for (const std::string& way : o.ways) {
    std::vector<Curve> curves;
    for (std::uint64_t seed = 0; seed < o.seeds; ++seed)
      curves.push_back(train(o, samples, way, seed));
    losses[way] = curves;
    chart.series.push_back(series_of(way, smoothed(curves, o.window), o.window));
    if (way != o.ways.front()) distances[way] = distance(chart.series.front(), chart.series.back());
  }
  const nlohmann::ordered_json json = {{"program", "glia loss_curves"},
                                       {"instruction_set", cpu::instruction_set()},
                                       {"base_width", o.base_width},
                                       {"batch_size", o.batch_size},
                                       {"steps", o.steps},
                                       {"window", o.window},
                                       {"distance_in_ranges_of_" + o.ways.front(), distances},
                                       {"losses", losses}};
  const std::filesystem::path out(o.out);
  std::filesystem::create_directories(out);
  write_file_atomically(out / "loss-curves.json", json.dump() + "\n");
  write_file_atomically(out / "loss-curves.svg", to_svg({&chart, 1}));
  fmt::print("{}\nwritten to {}\n", distances.dump(), o.out);
}

}  // namespace

}  // namespace glia

int main(int argc, char** argv) {
  CLI::App app{"Compares the training loss of several ways to convolve"};
  glia::Options options;
  app.option_defaults()->always_capture_default();
  app.add_option("--data", options.data, "Folder with <id>_img.npy and <id>_seg.npy")->required();
  app.add_option("--list", options.list, "Ids to train on")->required();
  app.add_option("--out", options.out, "Folder for loss-curves.json and .svg")->required();
  app.add_option("--ways", options.ways,
                 "What --conv says, or bf16; the first to compare with: a list")
      ->delimiter(',');
  app.add_option("--base-width", options.base_width, "Channels of the first level");
  app.add_option("--batch-size", options.batch_size, "Slices a step");
  app.add_option("--steps", options.steps, "Of each run")->check(CLI::PositiveNumber);
  app.add_option("--window", options.window, "Steps that a point is the mean of")
      ->check(CLI::PositiveNumber);
  app.add_option("--seeds", options.seeds, "Runs of each way")->check(CLI::Range(2, 100));
  app.add_option("--threads", options.threads, "CPU threads; 0 takes every core");
  app.footer("Example:\n  loss_curves --data slices --list split/train.txt --out curves");
  CLI11_PARSE(app, argc, argv);
  try {
    glia::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "loss_curves: {}\n", error.what());
    return 1;
  }
}
