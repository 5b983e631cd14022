// Runs three Adam steps of a small U-Net on a fixed batch and writes everything a peer needs to do
// the same: initial weights, the batch, the loss of each step, the gradients of the first, the
// weights after it and those after the last. Usage: parity_dump OUT.safetensors
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/base/rng.h"
#include "engine/formats/safetensors.h"
#include "engine/ops/ops.h"
#include "engine/optim/optimizer.h"
#include "models/unet/unet.h"

namespace glia {

namespace {

constexpr int kSteps = 3;

/// Tensors that outlive the entries which point at them.
class Dump {
 public:
  void add(const std::string& name, const Tensor& t) {
    kept_.push_back({name, {}, t.to_vector<float>()});
    for (int d = 0; d < t.shape().rank(); ++d) kept_.back().shape.push_back(t.shape()[d]);
  }
  void write(const char* path, const std::map<std::string, std::string>& metadata) const {
    std::vector<SafeTensors::Entry> entries;
    for (const Kept& k : kept_) entries.push_back({k.name, k.shape, k.values});
    write_safetensors(path, entries, metadata);
  }

 private:
  struct Kept {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<float> values;
  };
  std::vector<Kept> kept_;
};

void run(const char* path) {
  const auto device = make_cpu_device(2);
  const UNetConfig config{.base_width = 8, .depth = 3};
  UNet net(config);
  net.parameters().allocate(*device, 1);
  const Shape shape{2, 48, 32, 3};
  Sequence random(2, 0);
  std::vector<float> x, t;
  for (std::int64_t i = 0; i < shape.numel(); ++i) x.push_back(static_cast<float>(random.normal()));
  for (std::int64_t i = 0; i < shape.numel() / 3; ++i)
    t.push_back(x[static_cast<std::size_t>(3 * i)] > 0.8f);
  const Tensor images = Tensor::from<float>(*device, shape, x);
  const Tensor target = Tensor::from<float>(*device, shape.with_channels(1), t);

  Dump dump;
  dump.add("images", images);
  dump.add("target", target);
  const auto add_all = [&](const std::string& prefix) {
    for (const auto& p : net.parameters().parameters()) dump.add(prefix + p.name, p.value);
    for (const auto& p : net.parameters().buffers()) dump.add(prefix + p.name, p.value);
  };
  add_all("initial.");
  optim::Optimizer adam({}, net.parameters());
  nlohmann::json losses = nlohmann::json::array();
  for (int step = 0; step < kSteps; ++step) {
    net.parameters().clear_grads();
    Tape tape(*device);
    nn::Pass pass{.tape = tape, .training = true};
    const Tensor loss = ops::iou_loss(tape, net.forward(pass, images), target).loss;
    losses.push_back(loss.item());
    tape.backward(loss);
    if (step == 0)
      for (const auto& p : net.parameters().parameters())
        dump.add("gradient." + p.name, p.value.grad());
    adam.step(1e-3);
    if (step == 0) add_all("first.");
  }
  add_all("final.");
  dump.write(path, {{"losses", losses.dump()}, {"config", config.to_json().dump()}});
}

}  // namespace

}  // namespace glia

int main(int argc, char** argv) {
  if (argc != 2) return fmt::print(stderr, "usage: parity_dump OUT.safetensors\n"), 2;
  try {
    glia::run(argv[1]);
  } catch (const std::exception& error) {
    return fmt::print(stderr, "parity_dump: {}\n", error.what()), 1;
  }
}
