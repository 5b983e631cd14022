// --precision: a network learns in tf32 and bf16 as it does in fp32.
#include <cmath>

#include "engine/optim/optimizer.h"
#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/open_device.h"
#include "engine/train/loss.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/models/test_batch.h"

namespace glia::test {

namespace {

/// The losses of some steps of Adam.
std::vector<double> losses(std::unique_ptr<Device> device, int steps) {
  const TestBatch batch;
  UNet net({.base_width = 8, .depth = 2});
  net.parameters().allocate(*device, 11);
  optim::Optimizer adam({}, net.parameters());
  const Tensor x = batch.tensor<float>(*device, batch.shape, batch.images);
  const Tensor t = batch.tensor<float>(*device, batch.shape.with_channels(1), batch.masks);
  const Objective objective = Objective::parse("iou", Region::batch, 1);
  std::vector<double> result;
  for (int i = 0; i < steps; ++i) {
    net.parameters().clear_grads();
    Tape tape(*device);
    nn::Pass pass{.tape = tape, .training = true};
    const auto value = objective(tape, net.forward(pass, x), t);
    tape.backward(value.loss);
    net.parameters().finish_grads();
    adam.announce(3e-3);
    adam.apply();
    result.push_back(value.loss.item());
  }
  for (const float weight : net.parameters().flat_values().to_vector<float>())
    if (!std::isfinite(weight)) FAIL("a weight is not finite");
  return result;
}

std::vector<double> losses_on_cpu(ConvPrecision precision) {
  auto device = make_cpu_device(2);
  device->context().precision = precision;
  // Its own kernels or, where the processor has none, the portable ones.
  if (cpu_bf16_instructions() == nullptr) device->context().bf16 = Bf16Choice::portable;
  return losses(std::move(device), 30);
}

std::vector<double> losses_on_emulator(ConvPrecision precision) {
  return losses(open_device({.device = "cpu", .backend = "emu", .precision = precision}), 8);
}

}  // namespace

TEST_CASE("unet: in bf16 the loss falls as in fp32, by other bits", "[unet]") {
  const std::vector<double> fp32 = losses_on_cpu(ConvPrecision::fp32);
  const std::vector<double> bf16 = losses_on_cpu(ConvPrecision::bf16);
  CHECK(fp32.front() != bf16.front());
  CHECK(bf16.front() == Approx(fp32.front()).epsilon(0.02));
  CHECK(fp32.back() < 0.6 * fp32.front());
  CHECK(bf16.back() < 0.6 * bf16.front());
  CHECK(bf16.back() == Approx(fp32.back()).margin(0.02 * fp32.front()));
  CHECK(losses_on_cpu(ConvPrecision::bf16) == bf16);
}

TEST_CASE("unet: on a GPU's kernels the loss falls in tf32 and bf16 as in fp32", "[unet]") {
  if (!find_gpu_backend("emu")) {
    WARN("this build has no emulator");
    return;
  }
  const std::vector<double> fp32 = losses_on_emulator(ConvPrecision::fp32);
  CHECK(fp32.back() < 0.75 * fp32.front());
  std::vector<double> found;
  for (const auto& [precision, bound] :
       {std::pair(ConvPrecision::tf32, 0.002), std::pair(ConvPrecision::bf16, 0.02)}) {
    CAPTURE(name_of(precision));
    found = losses_on_emulator(precision);
    CHECK(found.front() != fp32.front());
    CHECK(found.front() == Approx(fp32.front()).epsilon(bound));
    CHECK(found.back() == Approx(fp32.back()).margin(bound * fp32.front()));
  }
  CHECK(losses_on_emulator(ConvPrecision::bf16) == found);
}

}  // namespace glia::test
