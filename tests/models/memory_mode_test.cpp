// --memory: what is kept of a step changes neither the network's results nor their bits.
#include <array>

#include "engine/optim/optimizer.h"
#include "engine/train/loss.h"
#include "kernels/cpu/table.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/models/test_batch.h"

namespace glia::test {

namespace {

struct Run {
  std::vector<float> weights, evaluated;
  double loss = 0;
  std::size_t peak_bytes = 0;
};

/// Some steps of Adam and then the network in evaluation.
Run train(const UNetConfig& config, const KernelTable& kernels, MemoryMode mode) {
  const auto memory = std::make_shared<CachingAllocator>(std::make_unique<SystemAllocator>());
  Device device("cpu", kernels, memory, 2);
  device.set_memory_mode(mode);
  const TestBatch batch;
  UNet net(config);
  net.parameters().allocate(device, 11);
  optim::Optimizer adam({}, net.parameters());
  const Tensor x = batch.tensor<float>(device, batch.shape, batch.images);
  const Tensor t = batch.tensor<float>(device, batch.shape.with_channels(1), batch.masks);
  const Objective objective = Objective::parse("iou", Region::batch, 1);
  Run run;
  for (std::int64_t i = 0; i < 3; ++i) {
    net.parameters().clear_grads();
    Tape tape(device);
    nn::Pass pass{.tape = tape,
                  .training = true,
                  .seed = 3,
                  .step = Tensor::from<std::int64_t>(device, {1}, std::array{i})};
    const auto value = objective(tape, net.forward(pass, x), t);
    tape.backward(value.loss);
    net.parameters().finish_grads();
    adam.announce(1e-3);
    adam.apply();
    run.loss = value.loss.item();
  }
  Tape off(device, Tape::Mode::off);
  nn::Pass pass{.tape = off};
  run.evaluated = net.forward(pass, x).to_vector<float>();
  run.weights = net.parameters().flat_values().to_vector<float>();
  run.peak_bytes = memory->peak_bytes();
  return run;
}

void check_close(const std::vector<float>& a, const std::vector<float>& b, double bound) {
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
  CHECK(worst < bound);
}

}  // namespace

TEST_CASE("unet: lean and fast give the same bits, and those of a pass an operation nearly",
          "[unet]") {
  for (const nn::NormKind norm : {nn::NormKind::batch, nn::NormKind::group, nn::NormKind::none})
    for (const double dropout : {0.0, 0.5}) {
      CAPTURE(nn::name_of(norm), dropout);
      const UNetConfig config{.base_width = 4, .depth = 2, .norm = norm, .dropout = dropout};
      const Run lean = train(config, cpu::table(), MemoryMode::lean);
      const Run fast = train(config, cpu::table(), MemoryMode::fast);
      CHECK(lean.weights == fast.weights);
      CHECK(lean.evaluated == fast.evaluated);
      CHECK(lean.loss == fast.loss);
      if (norm == nn::NormKind::group)
        CHECK(lean.peak_bytes == fast.peak_bytes);  // statistics an image: nothing to defer
      else
        CHECK(lean.peak_bytes < fast.peak_bytes);

      KernelTable separate = cpu::table();
      separate.maps = Maps::none;
      const Run plain = train(config, separate, MemoryMode::automatic);
      // Adam's first steps have the size of the rate whatever the gradient's: where that is next to
      // 0, rounding decides their sign.
      check_close(lean.weights, plain.weights, 3 * 2 * 1e-3);
      CHECK(lean.loss == Approx(plain.loss).epsilon(1e-4));
      CHECK(fast.peak_bytes <= plain.peak_bytes);
    }
}

}  // namespace glia::test
