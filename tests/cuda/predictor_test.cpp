// A network that is asked for one batch after another gives the bits of one that runs kernel by
// kernel, whatever the order of sizes.
#include "engine/train/predictor.h"

#include "engine/base/rng.h"
#include "engine/train/inference.h"
#include "models/unet/unet.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"

namespace glia::test {

namespace {

Tensor random_images(Device& device, std::uint64_t seed, std::int64_t count, std::int64_t height,
                     std::int64_t width) {
  Sequence random(seed, 0);
  const Shape shape{count, height, width, 2};
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  for (float& value : values) value = static_cast<float>(random.normal());
  return Tensor::from<float>(device, shape, values);
}

}  // namespace

TEST_CASE("predictor: recorded, the bits of a network that runs kernel by kernel", "[cuda]") {
  for (DeviceRequest request : gpu_devices())
    for (const auto precision : {ConvPrecision::fp32, ConvPrecision::tf32, ConvPrecision::bf16}) {
      request.precision = precision;
      INFO(request.backend << " on " << request.device << ", precision " << name_of(precision));
      const auto device = open_device(request);
      UNet model({.in_channels = 2, .base_width = 8, .depth = 2});
      model.parameters().allocate(*device, 1);
      Predictor predictor(*device, model), eager(*device, model, Predictor::Mode::eager);
      std::uint64_t seed = 0;
      // The last batch of a list is smaller; 6x7 is padded.
      for (const auto& [count, height, width] :
           {std::tuple{3, 8, 8}, std::tuple{1, 8, 8}, std::tuple{2, 6, 7}}) {
        std::vector<Tensor> kept;
        std::vector<std::vector<float>> expected;
        for (int i = 0; i < 5; ++i) {
          const Tensor images = random_images(*device, ++seed, count, height, width);
          const bool flips = i == 2;
          kept.push_back(predictor.logits(images, flips));
          expected.push_back(infer_logits(*device, model, images, flips).to_vector<float>());
          CHECK((eager.logits(images, flips).to_vector<float>() == expected.back()));
        }
        CHECK(predictor.captured());
        CHECK_FALSE(eager.captured());
        // What came later has not overwritten what came before.
        for (std::size_t i = 0; i < kept.size(); ++i)
          CHECK((kept[i].to_vector<float>() == expected[i]));
      }
    }
}

TEST_CASE("predictor: weights that change in their place are seen by what was recorded", "[cuda]") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto device = open_device(request);
    UNet model({.in_channels = 2, .base_width = 8, .depth = 2}),
        other({.in_channels = 2, .base_width = 8, .depth = 2});
    model.parameters().allocate(*device, 1);
    other.parameters().allocate(*device, 2);
    Predictor predictor(*device, model);
    const Tensor images = random_images(*device, 1, 2, 8, 8);
    for (int i = 0; i < 4; ++i) predictor.logits(images, false);
    REQUIRE(predictor.captured());
    model.parameters().flat_values().copy_from(other.parameters().flat_values().to_vector<float>());
    CHECK((predictor.logits(images, false).to_vector<float>() ==
           infer_logits(*device, model, images, false).to_vector<float>()));
  }
}

}  // namespace glia::test
