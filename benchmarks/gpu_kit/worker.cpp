#include "benchmarks/gpu_kit/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "benchmarks/suite/floors.h"
#include "benchmarks/suite/repeated_step.h"
#include "benchmarks/suite/stopwatch.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/streams.h"
#include "engine/data/dataset.h"
#include "engine/data/loader.h"
#include "engine/export/torch_weights.h"
#include "engine/runtime/open_device.h"

namespace glia::kit {

namespace {

using nlohmann::json;

std::unique_ptr<Device> open(const json& question) {
  return open_device({.device = question.at("device").get<std::string>(),
                      .backend = question.at("backend").get<std::string>(),
                      .fuse = parse_fuse(question.value("fuse", name_of(Fuse::automatic))),
                      .precision = parse_precision(question.at("precision").get<std::string>())},
                     [](const std::string&) {});
}

UNetConfig config_of(const json& question, std::int64_t channels) {
  return {.in_channels = channels, .base_width = question.at("base_width").get<std::int64_t>()};
}

TrainStep::Mode mode_of(const json& question) {
  return question.at("captured").get<bool>() ? TrainStep::Mode::automatic : TrainStep::Mode::eager;
}

/// Seconds of each of the question's runs, after others that are not timed.
json time_of(Device& device, bench::Repeated& work, const json& question) {
  const auto stopwatch = bench::make_stopwatch(device);
  // Work is recorded in the third run, and what is recorded is to be timed.
  for (int i = std::max(3, question.at("warmup").get<int>()); i > 0; --i) work.run();
  check(work.captured() == question.at("captured").get<bool>(),
        "the work was {}recorded as a graph", work.captured() ? "" : "not ");
  std::vector<double> seconds;
  for (int i = question.at("steps").get<int>(); i > 0; --i) {
    stopwatch->start();
    work.run();
    seconds.push_back(stopwatch->stop());
  }
  return {{"seconds", seconds},
          {"peak_bytes", device.allocator().peak_bytes() + device.context().workspace.size()}};
}

/// Training steps or inferences, as `Work` is one or the other.
template <class Work>
json time_work(const json& question) {
  const auto device = open(question);
  Work work(*device, config_of(question, 3), question.at("batch_size").get<std::int64_t>(),
            question.at("size").get<std::int64_t>(), mode_of(question));
  return time_of(*device, work, question);
}

json floors(const json& question) {
  const bench::Peaks peaks{.flops = question.at("flops_per_s").get<double>(),
                           .bytes = question.at("bytes_per_s").get<double>()};
  const auto step = bench::record_training_step(config_of(question, 3),
                                                question.at("batch_size").get<std::int64_t>(),
                                                question.at("size").get<std::int64_t>());
  json found = json::array();
  for (const bench::Floor& floor : bench::step_floors(step, peaks))
    found.push_back({{"name", floor.name}, {"what", floor.what}, {"seconds", floor.seconds}});
  return {{"floors", found}};
}

json train(const json& question) {
  const auto device = open(question);
  std::vector<Sample> samples = scan_pairs(question.at("data").get<std::string>());
  Loader loader(samples, Preprocess(),
                {.batch_size = question.at("batch_size").get<std::int64_t>(), .augment = {}});
  UNet net(config_of(question, loader.channels()));
  net.parameters().allocate(*device, 1);
  export_weights(question.at("weights").get<std::string>(), net.parameters(),
                 {{"model", net.config()}, {"preprocess", Preprocess().to_json()}});
  optim::Optimizer adam({}, net.parameters());
  const Objective objective = Objective::parse("iou", Region::batch, 1);
  TrainStep step(*device, net, adam, objective, 1, mode_of(question));
  std::vector<double> losses;
  const auto steps = question.at("steps").get<std::size_t>();
  Batch batch;
  for (std::int64_t epoch = 1; losses.size() < steps; ++epoch) {
    loader.begin_epoch(epoch);
    while (losses.size() < steps && loader.next(batch)) {
      step.upload(batch);
      step.start(1e-3);
      losses.push_back(step.finish().loss);
    }
  }
  const auto weights = net.parameters().flat_values().to_vector<float>();
  return {
      {"losses", losses},
      {"weights", hash_text({reinterpret_cast<const char*>(weights.data()), weights.size() * 4})}};
}

json answer(const std::string& line) {
  try {
    const json question = parse_json(line, "gpu-kit worker");
    const auto what = question.at("do").get<std::string>();
    if (what == "step") return time_work<bench::RepeatedStep>(question);
    if (what == "infer") return time_work<bench::RepeatedInference>(question);
    if (what == "floors") return floors(question);
    if (what == "losses") return train(question);
    fail("found the question '{}', expected step, infer, floors or losses", what);
  } catch (const std::exception& error) {
    return {{"problem", error.what()}};
  }
}

}  // namespace

void serve() {
  for (std::string line; std::getline(std::cin, line);) print_line(json_text(answer(line)));
}

}  // namespace glia::kit
