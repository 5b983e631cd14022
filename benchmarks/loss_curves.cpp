// Whether a faster way to convolve trains as well: the loss of the first steps on real slices, for
// each of several ways and seeds. Writes every loss as JSON, a chart of means and ranges, and of
// each seed what a peer needs to train likewise: benchmarks/precision-curves has PyTorch do so.
// Usage: loss_curves --data slices --list split/train.txt --out curves
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <deque>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "engine/base/file.h"
#include "engine/data/dataset.h"
#include "engine/formats/safetensors.h"
#include "engine/report/line_chart.h"
#include "engine/runtime/modes.h"
#include "engine/runtime/open_device.h"
#include "engine/train/evaluate.h"
#include "engine/train/train_step.h"
#include "kernels/cpu/table.h"
#include "models/unet/unet.h"

namespace glia {

namespace {

constexpr double kLearningRate = 1e-3;

struct Options {
  std::string data, list, val_list, losses, out, backend = "native";
  std::vector<std::string> ways{"direct", "auto"};
  std::int64_t base_width = 16, depth = 4, batch_size = 6, steps = 200, window = 10;
  std::uint64_t seeds = 3, first_seed = 0;
  int threads = 0;
};

using Curve = std::vector<double>;

/// A training, and what its network says of other slices.
struct Run {
  Curve losses;
  double val_iou = 0;  // 0 without --val-list
};

bool is_precision(const std::string& way) {
  const auto names = precision_choices();
  return way != "auto" && std::find(names.begin(), names.end(), way) != names.end();
}

DeviceRequest request_of(const Options& o, const std::string& way) {
  DeviceRequest request{.device = "cpu", .backend = o.backend, .threads = o.threads};
  if (is_precision(way))
    request.precision = parse_precision(way);
  else
    request.conv = parse_conv(way);
  return request;
}

void say_nothing(const std::string&) {}

/// The values of all parameters and running statistics, by name.
std::vector<SafeTensors::Entry> entries_of(const nn::ParameterSet& set,
                                           std::deque<std::vector<float>>& values) {
  std::vector<SafeTensors::Entry> entries;
  const auto add = [&](const nn::Parameter& p) {
    std::vector<std::int64_t> shape;
    for (int d = 0; d < p.shape.rank(); ++d) shape.push_back(p.shape[d]);
    entries.push_back({p.name, shape, values.emplace_back(p.value.to_vector<float>())});
  };
  for (const nn::Parameter& p : set.parameters()) add(p);
  for (const nn::Parameter& p : set.buffers()) add(p);
  return entries;
}

void copy_values(const nn::ParameterSet& from, const nn::ParameterSet& to) {
  const auto copy = [](const auto& sources, const auto& targets) {
    for (std::size_t i = 0; i < sources.size(); ++i)
      targets[i].value.copy_from(sources[i].value.template to_vector<float>());
  };
  copy(from.parameters(), to.parameters());
  copy(from.buffers(), to.buffers());
}

/// IoU of a batch, its mean over --val-list. On the CPU in fp32 whatever the network was trained
/// in, so that it is the weights that are compared.
double val_iou(const Options& o, const std::vector<Sample>& samples, const UNetConfig& config,
               const nn::ParameterSet& trained) {
  const auto device = open_device({.device = "cpu", .threads = o.threads}, say_nothing);
  UNet net(config);
  net.parameters().allocate(*device);
  copy_values(trained, net.parameters());
  Loader loader(samples, Preprocess(), {.batch_size = o.batch_size, .augment = {}});
  return evaluate(*device, net, loader, Objective::parse("iou", Region::batch, 1), {})
      .evaluation.summary()
      .batch_iou.value();
}

/// Samples to train on and, with --val-list, to try the network on.
struct Slices {
  std::vector<Sample> train, val;
};

/// The loss of each step with the same weights to begin with and the same slices in the same order
/// for all ways of one seed; those weights and ids go to initial-seed-<seed>.safetensors.
Run train(const Options& o, const Slices& slices, const std::string& way, std::uint64_t seed) {
  const auto device = open_device(request_of(o, way), say_nothing);
  const std::vector<Sample>& samples = slices.train;
  Loader loader(samples, Preprocess(),
                {.batch_size = o.batch_size,
                 .seed = seed,
                 .shuffle = true,
                 .drop_last = true,
                 .augment = {},
                 .threads = 0});
  const UNetConfig config{
      .in_channels = loader.channels(), .base_width = o.base_width, .depth = o.depth};
  UNet net(config);
  net.parameters().allocate(*device, seed);
  std::deque<std::vector<float>> values;
  const auto initial = entries_of(net.parameters(), values);
  optim::Optimizer adam({}, net.parameters());
  const Objective objective = Objective::parse("iou", Region::batch, 1);
  TrainStep step(*device, net, adam, objective, seed);
  Curve losses;
  nlohmann::json ids = nlohmann::json::array();
  Batch batch;
  for (std::int64_t epoch = 1; static_cast<std::int64_t>(losses.size()) < o.steps; ++epoch) {
    loader.begin_epoch(epoch);
    while (static_cast<std::int64_t>(losses.size()) < o.steps && loader.next(batch)) {
      step.upload(batch);
      step.start(kLearningRate);
      losses.push_back(step.finish().loss);
      ids.push_back(batch.ids);
    }
  }
  write_safetensors(std::filesystem::path(o.out) / fmt::format("initial-seed-{}.safetensors", seed),
                    initial,
                    {{"model", config.to_json().dump()},
                     {"batches", ids.dump()},
                     {"learning_rate", nlohmann::json(kLearningRate).dump()}});
  fmt::print(stderr, "{} seed {}: loss {:.4f} after {} steps\n", way, seed, losses.back(),
             losses.size());
  const double iou = slices.val.empty() ? 0 : val_iou(o, slices.val, config, net.parameters());
  return {std::move(losses), iou};
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

/// By way: a curve or a number a seed.
using Losses = std::map<std::string, std::vector<Curve>>;
using ValIous = std::map<std::string, std::vector<double>>;

/// The chart of all ways, and how far each lies from the first.
nlohmann::ordered_json draw(const Options& o, const Losses& losses) {
  const std::vector<Curve>& first = losses.at(o.ways.front());
  LineChart chart{.title = fmt::format("Training loss, base width {}, batch {}, {} seeds",
                                       o.base_width, o.batch_size, first.size()),
                  .x_label = fmt::format("step (means of {})", o.window),
                  .y_label = "-log IoU",
                  .whole_x = true};
  nlohmann::ordered_json distances;
  for (const std::string& way : o.ways) {
    chart.series.push_back(series_of(way, smoothed(losses.at(way), o.window), o.window));
    if (way != o.ways.front() && first.size() > 1)
      distances[way] = distance(chart.series.front(), chart.series.back());
  }
  write_file_atomically(std::filesystem::path(o.out) / "loss-curves.svg", to_svg({&chart, 1}));
  return distances;
}

/// Draws what the "losses" of an earlier result say, and trains nothing.
void draw_again(const Options& o) {
  const auto json = nlohmann::json::parse(read_file(o.losses), nullptr, false);
  in_file(o.losses, [&] {
    check(json.is_object() && json.contains("losses"), "has no \"losses\"");
    const nlohmann::json& found = json.at("losses");
    for (const std::string& way : o.ways)
      check(found.contains(way), "--ways: \"losses\" has no {}", way);
    Losses losses;
    try {
      losses = found.get<Losses>();
    } catch (const nlohmann::json::exception& error) {
      fail("\"losses\": expected a list of curves for each way ({})", error.what());
    }
    make_folder(o.out);
    draw(o, losses);
  });
}

void train_all(const Options& o) {
  check(!o.data.empty() && !o.list.empty(), "--data and --list are needed to train");
  const auto pairs = scan_pairs(o.data);
  Slices slices{.train = select_samples(pairs, o.list), .val = {}};
  if (!o.val_list.empty()) slices.val = select_samples(pairs, o.val_list);
  for (const std::string& way : o.ways) open_device(request_of(o, way), say_nothing);
  make_folder(o.out);
  Losses losses;
  ValIous ious;
  for (const std::string& way : o.ways)
    for (std::uint64_t seed = o.first_seed; seed < o.first_seed + o.seeds; ++seed) {
      Run run = train(o, slices, way, seed);
      losses[way].push_back(std::move(run.losses));
      if (!slices.val.empty()) ious[way].push_back(run.val_iou);
    }
  const auto distances = draw(o, losses);
  nlohmann::ordered_json json = {{"program", "glia loss_curves"},
                                 {"instruction_set", cpu::instruction_set()},
                                 {"backend", o.backend},
                                 {"base_width", o.base_width},
                                 {"depth", o.depth},
                                 {"batch_size", o.batch_size},
                                 {"steps", o.steps},
                                 {"first_seed", o.first_seed},
                                 {"window", o.window},
                                 {"distance_in_ranges_of_" + o.ways.front(), distances}};
  if (!ious.empty()) json["val_iou"] = ious;
  json["losses"] = losses;
  write_file_atomically(std::filesystem::path(o.out) / "loss-curves.json", json.dump() + "\n");
  if (!distances.is_null()) fmt::print("{}\n", distances.dump());
}

void run(const Options& o) {
  check(o.steps % o.window == 0, "--steps: found {}, expected a multiple of --window ({})", o.steps,
        o.window);
  o.losses.empty() ? train_all(o) : draw_again(o);
  fmt::print("written to {}\n", o.out);
}

}  // namespace

}  // namespace glia

int main(int argc, char** argv) {
  CLI::App app{"Compares the training loss of several ways to convolve"};
  glia::Options options;
  app.option_defaults()->always_capture_default();
  app.add_option("--data", options.data, "Folder with <id>_img.npy and <id>_seg.npy");
  app.add_option("--list", options.list, "Ids to train on");
  app.add_option("--val-list", options.val_list, "Ids to try the trained networks on");
  app.add_option("--losses", options.losses,
                 "Only draw what a loss-curves.json has, up to four --ways of it");
  app.add_option("--out", options.out, "Folder for loss-curves.json and .svg")->required();
  app.add_option("--ways", options.ways,
                 "What --conv says, or fp32, tf32, bf16; the first to compare with: a list")
      ->delimiter(',');
  app.add_option("--backend", options.backend, "native (CPU), onednn, or emu: our GPU kernels");
  app.add_option("--base-width", options.base_width, "Channels of the first level");
  app.add_option("--depth", options.depth, "Number of halvings");
  app.add_option("--batch-size", options.batch_size, "Slices a step");
  app.add_option("--steps", options.steps, "Of each run")->check(CLI::PositiveNumber);
  app.add_option("--window", options.window, "Steps that a point is the mean of")
      ->check(CLI::PositiveNumber);
  app.add_option("--seeds", options.seeds, "Runs of each way")->check(CLI::Range(1, 100));
  app.add_option("--first-seed", options.first_seed, "The others follow");
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
