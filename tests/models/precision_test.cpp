// --precision bf16: a network learns as it does in fp32.
#include <cmath>

#include "engine/optim/optimizer.h"
#include "engine/train/loss.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/models/test_batch.h"

namespace glia::test {

namespace {

/// The losses of some steps of Adam.
std::vector<double> losses(ConvPrecision precision) {
  const auto device = make_cpu_device(2);
  device->context().precision = precision;
  // Its own kernels or, where the processor has none, the portable ones.
  if (cpu_bf16_instructions() == nullptr) device->context().bf16 = Bf16Choice::portable;
  const TestBatch batch;
  UNet net({.base_width = 8, .depth = 2});
  net.parameters().allocate(*device, 11);
  optim::Optimizer adam({}, net.parameters());
  const Tensor x = batch.tensor<float>(*device, batch.shape, batch.images);
  const Tensor t = batch.tensor<float>(*device, batch.shape.with_channels(1), batch.masks);
  const Objective objective = Objective::parse("iou", Region::batch, 1);
  std::vector<double> result;
  for (int i = 0; i < 30; ++i) {
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

}  // namespace

TEST_CASE("unet: in bf16 the loss falls as in fp32, by other bits", "[unet]") {
  const std::vector<double> fp32 = losses(ConvPrecision::fp32);
  const std::vector<double> bf16 = losses(ConvPrecision::bf16);
  CHECK(fp32.front() != bf16.front());
  CHECK(bf16.front() == Approx(fp32.front()).epsilon(0.02));
  CHECK(fp32.back() < 0.6 * fp32.front());
  CHECK(bf16.back() < 0.6 * bf16.front());
  CHECK(bf16.back() == Approx(fp32.back()).margin(0.02 * fp32.front()));
  CHECK(losses(ConvPrecision::bf16) == bf16);
}

}  // namespace glia::test
