// Augmentation on the device against the CPU's, image by image.
#include "kernels/cuda/augment.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/rng.h"
#include "engine/data/augment.h"
#include "engine/tensor/tensor.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"

namespace glia::test {

namespace {

/// The build of `augment` for the device.
void augment_on(Device& device, const DeviceAugment& arguments) {
  if (std::string_view(device.kernels().name) == "emu")
    return emulated::augment(device.context(), arguments);
#if defined(GLIA_HAS_CUDA)
  cuda::augment(device.context(), arguments);
#endif
}

/// Slices of normal values with the given mean and deviation.
std::vector<Slice> random_slices(std::int64_t count, const Shape& size, float scale, float mean) {
  Sequence draw(5, 1);
  std::vector<Slice> slices;
  for (std::int64_t n = 0; n < count; ++n) {
    Slice slice{.height = size[0], .width = size[1], .channels = size[2], .image = {}, .mask = {}};
    for (std::int64_t i = 0; i < size.numel(); ++i)
      slice.image.push_back(mean + scale * static_cast<float>(draw.normal()));
    for (std::int64_t i = 0; i < size[0] * size[1]; ++i)
      slice.mask.push_back(draw.chance(0.3) ? 1.0f : 0.0f);
    slices.push_back(std::move(slice));
  }
  return slices;
}

struct Changed {
  std::vector<float> images, masks;
};

void append(std::vector<float>& to, const std::vector<float>& values) {
  to.insert(to.end(), values.begin(), values.end());
}

/// The slices in a row, each augmented on the CPU unless `config` is null. Sample indices are 10,
/// 11, ...
Changed on_cpu(std::vector<Slice> slices, const AugmentConfig* config, std::int64_t epoch) {
  Changed changed;
  for (std::size_t n = 0; n < slices.size(); ++n) {
    if (config) augment(slices[n], *config, 7, epoch, 10 + static_cast<std::int64_t>(n));
    append(changed.images, slices[n].image);
    append(changed.masks, slices[n].mask);
  }
  return changed;
}

Changed on_device(Device& device, const std::vector<Slice>& slices, const AugmentConfig& config,
                  std::int64_t epoch) {
  const auto count = static_cast<std::int64_t>(slices.size());
  const Slice& first = slices.front();
  const Shape shape{count, first.height, first.width, first.channels};
  const Changed before = on_cpu(slices, nullptr, 0);
  std::vector<std::int64_t> places;
  for (std::int64_t n = 0; n < count; ++n) places.insert(places.end(), {epoch, 10 + n});
  const Tensor images = Tensor::from<float>(device, shape, before.images);
  const Tensor masks = Tensor::from<float>(device, shape.with_channels(1), before.masks);
  const Tensor new_images = Tensor::empty(device, shape);
  const Tensor new_masks = Tensor::empty(device, shape.with_channels(1));
  augment_on(device, {.images = images,
                      .masks = masks,
                      .new_images = new_images,
                      .new_masks = new_masks,
                      .places = Tensor::from<std::int64_t>(device, {count, 2}, places),
                      .seed = 7,
                      .noise = config.noise,
                      .brightness = config.brightness,
                      .flip_horizontal = config.flip_horizontal,
                      .flip_vertical = config.flip_vertical});
  return {new_images.to_vector<float>(), new_masks.to_vector<float>()};
}

/// The largest difference in units of the expected value's last place, at least that of 1e-3.
double worst_ulps(const std::vector<float>& found, const std::vector<float>& expected) {
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const float size = std::max(std::abs(expected[i]), 1e-3f);
    const double ulp = std::nextafter(size, std::numeric_limits<float>::infinity()) - size;
    const double error = std::abs(double{found[i]} - expected[i]) / ulp;
    if (!(error <= worst)) worst = std::isnan(error) ? HUGE_VAL : error;
  }
  return worst;
}

}  // namespace

TEST_CASE("augment on the device: flips are the CPU's, bit for bit") {
  for (const DeviceRequest& request : gpu_devices())
    for (const Shape& size : {Shape{14, 9, 2}, Shape{1, 5, 1}, Shape{40, 33, 3}})
      for (const char* text : {"none", "flip", "flip-vertical", "flip,flip-vertical"}) {
        const auto device = open_device(request);
        const AugmentConfig config = AugmentConfig::parse(text);
        const auto slices = random_slices(6, size, 1, 0);
        const Changed expected = on_cpu(slices, &config, 3);
        const Changed found = on_device(*device, slices, config, 3);
        INFO(text << " on " << size.str() << " on " << device->name());
        CHECK((found.images == expected.images));
        CHECK((found.masks == expected.masks));
      }
}

TEST_CASE("augment on the device: brightness and noise are the CPU's within a rounding") {
  for (const DeviceRequest& request : gpu_devices())
    for (const Shape& size : {Shape{14, 9, 2}, Shape{40, 33, 3}})
      for (const char* text : {"brightness=0.3", "noise=0.1", "noise=0.05,brightness=0.1,flip"})
        for (float mean : {0.0f, 300.0f}) {
          const auto device = open_device(request);
          const AugmentConfig config = AugmentConfig::parse(text);
          const auto slices = random_slices(4, size, mean == 0 ? 1.0f : 50.0f, mean);
          const Changed expected = on_cpu(slices, &config, 2);
          const Changed found = on_device(*device, slices, config, 2);
          INFO(text << " on " << size.str() << " around " << mean << " on " << device->name());
          CHECK(worst_ulps(found.images, expected.images) <= (config.noise > 0 ? 1 : 0));
          CHECK((found.images != on_cpu(slices, nullptr, 0).images));
          CHECK((found.masks == expected.masks));
        }
}

TEST_CASE("augment on the device: an image without spread stays, masks may be left out") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto device = open_device(request);
    const std::vector<float> values(12, 4.0f);
    const std::vector<std::int64_t> places{0, 0};
    const Tensor images = Tensor::from<float>(*device, {1, 4, 3, 1}, values);
    const Tensor result = Tensor::empty(*device, {1, 4, 3, 1});
    augment_on(*device, {.images = images,
                         .new_images = result,
                         .new_masks = {},
                         .places = Tensor::from<std::int64_t>(*device, {1, 2}, places),
                         .noise = 0.5,
                         .brightness = 0.5});
    CHECK(result.to_vector<float>() == values);
  }
}

TEST_CASE("augment on the device: a channel slice is refused") {
  const auto device = open_device({.device = "cpu", .backend = "emu"});
  const Tensor wide = Tensor::zeros(*device, {1, 4, 3, 4});
  CHECK_THROWS_WITH(
      augment_on(*device,
                 {.images = wide.channels(1, 2), .new_images = wide.channels(0, 2), .places = {}}),
      "augment: found a channel slice, expected dense tensors");
}

}  // namespace glia::test
