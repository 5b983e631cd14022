// Augmentation on the device against the CPU's, image by image.
#include "engine/data/augment.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "engine/base/rng.h"
#include "engine/tensor/tensor.h"
#include "tests/catch.h"
#include "tests/cuda/devices.h"

namespace glia::test {

namespace {

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

/// What is drawn for the n-th of some slices, which is sample 10 + n of its epoch.
AugmentDraws draws_of(const AugmentConfig& config, std::int64_t epoch, std::size_t n) {
  AugmentDraws draws = draw_augment(config, 7, epoch, 10 + static_cast<std::int64_t>(n));
  draws.slice = static_cast<std::int64_t>(n);
  return draws;
}

/// The slices one after another, the last one first, each augmented on the CPU.
Changed on_cpu(std::vector<Slice> slices, const AugmentConfig& config, std::int64_t epoch) {
  Changed changed;
  for (std::size_t n = slices.size(); n-- > 0;) {
    augment(slices[n], draws_of(config, epoch, n));
    append(changed.images, slices[n].image);
    append(changed.masks, slices[n].mask);
  }
  return changed;
}

/// A batch of the same, from slices that lie on the device.
Changed on_device(Device& device, const std::vector<Slice>& slices, const AugmentConfig& config,
                  std::int64_t epoch) {
  const auto count = static_cast<std::int64_t>(slices.size());
  const Slice& first = slices.front();
  const Shape shape{count, first.height, first.width, first.channels};
  Changed all;
  std::vector<std::int64_t> words;
  for (std::size_t n = slices.size(); n-- > 0;) {
    const auto draws =
        std::bit_cast<std::array<std::int64_t, kAugmentWords>>(draws_of(config, epoch, n));
    words.insert(words.end(), draws.begin(), draws.end());
  }
  for (const Slice& slice : slices) {
    append(all.images, slice.image);
    append(all.masks, slice.mask);
  }
  const Tensor new_images = Tensor::empty(device, shape);
  const Tensor new_masks = Tensor::empty(device, shape.with_channels(1));
  device.kernels().augment_batch(
      device.context(), {.images = Tensor::from<float>(device, shape, all.images),
                         .masks = Tensor::from<float>(device, shape.with_channels(1), all.masks),
                         .draws = Tensor::from<std::int64_t>(device, {count, kAugmentWords}, words),
                         .new_images = new_images,
                         .new_masks = new_masks,
                         .gamma = config.gamma > 0,
                         .changes = config.brightness > 0 || config.noise > 0});
  device.context().workspace.finish_call();
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

/// How many masks' pixels differ.
std::int64_t differing(const std::vector<float>& a, const std::vector<float>& b) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i];
  return count;
}

}  // namespace

TEST_CASE("augment on the device: flips and what is left alone are the CPU's, bit for bit",
          "[ops]") {
  for (const DeviceRequest& request : gpu_devices())
    for (const Shape& size : {Shape{14, 9, 2}, Shape{1, 5, 1}, Shape{40, 33, 3}})
      for (const char* text : {"none", "flip", "flip-vertical", "flip,flip-vertical"}) {
        const auto device = open_device(request);
        const AugmentConfig config = AugmentConfig::parse(text);
        const auto slices = random_slices(6, size, 1, 0);
        const Changed expected = on_cpu(slices, config, 3);
        const Changed found = on_device(*device, slices, config, 3);
        INFO(text << " on " << size.str() << " on " << device->name());
        CHECK((found.images == expected.images));
        CHECK((found.masks == expected.masks));
      }
}

TEST_CASE("augment on the device: all changes are the CPU's within a rounding each", "[ops]") {
  const struct {
    const char* text;
    int roundings;  // that may fall the other way
    bool moves;
  } kinds[] = {{"brightness=0.3", 1, false},
               {"noise=0.1", 1, false},
               {"noise=0.05,brightness=0.1,flip", 1, false},
               {"rotate=30", 1, true},
               {"scale=0.3,flip", 1, true},
               {"gamma=0.5", 1, false},
               {"gamma=0.3,noise=0.1", 2, false},
               {"noise=0.05,brightness=0.1,rotate=20,scale=0.2,gamma=0.3,flip", 4, true}};
  for (const DeviceRequest& request : gpu_devices())
    for (const Shape& size : {Shape{14, 9, 2}, Shape{40, 33, 3}, Shape{1, 6, 1}})
      for (const auto& kind : kinds)
        for (float mean : {0.0f, 300.0f}) {
          const auto device = open_device(request);
          const AugmentConfig config = AugmentConfig::parse(kind.text);
          const auto slices = random_slices(4, size, mean == 0 ? 1.0f : 50.0f, mean);
          const Changed expected = on_cpu(slices, config, 2);
          const Changed found = on_device(*device, slices, config, 2);
          INFO(kind.text << " on " << size.str() << " around " << mean << " on " << device->name());
          CHECK(worst_ulps(found.images, expected.images) <= kind.roundings);
          CHECK((found.images != on_cpu(slices, AugmentConfig{}, 0).images));
          // A GPU joins products and sums, which may move a source across a pixel's middle.
          const auto most = kind.moves && !device->allocator().on_host() &&
                                    device->name().find("emu") == std::string::npos
                                ? std::ssize(found.masks) / 100
                                : 0;
          CHECK(differing(found.masks, expected.masks) <= most);
        }
}

TEST_CASE("augment on the device: an image without spread stays", "[ops]") {
  for (const DeviceRequest& request : gpu_devices()) {
    const auto device = open_device(request);
    const Slice flat{.height = 4,
                     .width = 3,
                     .channels = 1,
                     .image = std::vector<float>(12, 4.0f),
                     .mask = std::vector<float>(12, 1.0f)};
    const Changed found =
        on_device(*device, {flat}, AugmentConfig::parse("gamma=1,noise=0.5,brightness=0.5"), 0);
    CHECK(found.images == flat.image);
    CHECK(found.masks == flat.mask);
  }
}

TEST_CASE("augment on the device: a channel slice is refused", "[ops]") {
  const auto device = open_device({.device = "cpu", .backend = "emu"});
  const Tensor wide = Tensor::zeros(*device, {1, 4, 3, 4});
  const Tensor mask = Tensor::zeros(*device, {1, 4, 3, 1});
  CHECK_THROWS_WITH(
      device->kernels().augment_batch(device->context(), {.images = wide.channels(1, 2),
                                                          .masks = mask,
                                                          .draws = {},
                                                          .new_images = wide.channels(0, 2),
                                                          .new_masks = mask}),
      "augment: found a channel slice, expected dense tensors");
}

TEST_CASE("augment on the device: the CPU has no such kernel", "[ops]") {
  CHECK(open_device({.device = "cpu"})->kernels().augment_batch == nullptr);
}

}  // namespace glia::test
