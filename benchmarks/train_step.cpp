// Times whole training steps of the U-Net on random images: forward, loss, backward, Adam. Prints
// one JSON line. Usage: train_step --base-width 32 --batch-size 6
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "engine/base/rng.h"
#include "engine/ops/ops.h"
#include "engine/optim/optimizer.h"
#include "kernels/cpu/table.h"
#include "models/unet/unet.h"

namespace glia {

namespace {

struct Options {
  std::int64_t base_width = 32, batch_size = 6, size = 240;
  int threads = 0, warmup = 2, steps = 10;
};

Tensor random_tensor(Device& device, const Shape& shape, bool binary) {
  Sequence random(1, binary);
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  for (float& v : values)
    v = binary ? static_cast<float>(random.chance(0.1)) : static_cast<float>(random.normal());
  return Tensor::from<float>(device, shape, values);
}

void run(const Options& o) {
  const auto device = make_cpu_device(o.threads);
  UNet net({.base_width = o.base_width});
  net.parameters().allocate(*device, 0);
  optim::Optimizer adam({}, net.parameters());
  const Shape shape{o.batch_size, o.size, o.size, 3};
  const Tensor images = random_tensor(*device, shape, false);
  const Tensor target = random_tensor(*device, shape.with_channels(1), true);
  std::vector<double> seconds;
  for (int step = -o.warmup; step < o.steps; ++step) {
    const auto start = std::chrono::steady_clock::now();
    net.parameters().clear_grads();
    Tape tape(*device);
    nn::Pass pass{.tape = tape, .training = true};
    tape.backward(ops::iou_loss(tape, net.forward(pass, images), target).loss);
    adam.step(1e-3);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    if (step >= 0) seconds.push_back(spent.count());
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const nlohmann::ordered_json json = {{"program", "glia train_step"},
                                       {"device", device->name()},
                                       {"instruction_set", cpu::instruction_set()},
                                       {"threads", device->context().threads},
                                       {"base", o.base_width},
                                       {"batch", o.batch_size},
                                       {"size", o.size},
                                       {"precision", "fp32"},
                                       {"step_s", median},
                                       {"min_s", seconds.front()},
                                       {"max_s", seconds.back()},
                                       {"images_per_s", static_cast<double>(o.batch_size) / median},
                                       {"peak_mib", static_cast<double>(usage.ru_maxrss) / 1024}};
  fmt::print("{}\n", json.dump());
}

}  // namespace

}  // namespace glia

int main(int argc, char** argv) {
  CLI::App app{"Times training steps of the U-Net on random images"};
  glia::Options options;
  app.option_defaults()->always_capture_default();
  app.add_option("--base-width", options.base_width, "Channels of the first level");
  app.add_option("--batch-size", options.batch_size, "Images a step");
  app.add_option("--size", options.size, "Height and width of the images");
  app.add_option("--threads", options.threads, "CPU threads; 0 takes every core");
  app.add_option("--warmup", options.warmup, "Steps that are not timed");
  app.add_option("--steps", options.steps, "Steps that are")->check(CLI::PositiveNumber);
  app.footer("Example:\n  train_step --base-width 32 --batch-size 6");
  CLI11_PARSE(app, argc, argv);
  try {
    glia::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "train_step: {}\n", error.what());
    return 1;
  }
}
