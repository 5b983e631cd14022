#include "engine/train/resident.h"

#include <array>

#include "engine/base/check.h"
#include "engine/formats/npy.h"

namespace glia {

namespace {

constexpr std::array kNames = {"auto", "on", "off"};  // in the order of the enumeration

}  // namespace

Resident parse_resident(std::string_view text) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (text == kNames[i]) return static_cast<Resident>(i);
  fail("found '{}', expected auto, on or off", text);
}

std::vector<std::string> resident_names() {
  return {kNames.begin(), kNames.end()};
}

std::size_t ResidentSlices::bytes(std::int64_t slices, std::int64_t height, std::int64_t width,
                                  std::int64_t channels) {
  return static_cast<std::size_t>(slices * height * width * (channels + 1)) * sizeof(float);
}

std::size_t ResidentSlices::bytes(const std::vector<Sample>& samples) {
  if (samples.empty()) return 0;
  const std::vector<std::int64_t> image = read_npy_info(samples.front().image).shape;
  return bytes(static_cast<std::int64_t>(samples.size()), image.at(0), image.at(1), image.at(2));
}

ResidentSlices load_resident(Device& device, const std::vector<Sample>& samples,
                             const Preprocess& preprocess, LoaderThreads loader_threads) {
  Loader loader(samples, preprocess,
                {.contents = BatchContents::loaded, .threads = loader_threads});
  const Shape all{loader.slices(), loader.height(), loader.width(), loader.channels()};
  ResidentSlices slices{.images = Tensor::empty(device, all),
                        .masks = Tensor::empty(device, all.with_channels(1))};
  const auto copy = [](const Tensor& to, std::int64_t first, const Batch& batch,
                       const std::vector<float>& values) {
    const Shape part{batch.size, to.shape()[1], to.shape()[2], to.shape()[3]};
    to.slice(first * part.numel() / batch.size, part).copy_from(values);
  };
  std::int64_t done = 0;
  loader.begin_epoch(0);
  for (Batch batch; loader.next(batch); done += batch.size) {
    copy(slices.images, done, batch, batch.images);
    copy(slices.masks, done, batch, batch.masks);
  }
  check(done == loader.slices(), "resident slices: {} of {} came", done, loader.slices());
  return slices;
}

}  // namespace glia
