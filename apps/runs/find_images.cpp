#include "apps/runs/find_images.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/formats/raster.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

std::vector<Sample> all_images(const fs::path& input) {
  if (fs::is_directory(input)) return pair_files(input).samples;
  check(fs::is_regular_file(input), "{}: no such file or folder", input.string());
  std::string id = input.stem().string();
  if (id.ends_with("_img")) id.resize(id.size() - 4);
  const fs::path mask = input.parent_path() / (id + "_seg.npy");
  return {{id, input, fs::exists(mask) ? mask : fs::path()}};
}

}  // namespace

std::vector<Sample> find_images(const fs::path& input, const std::string& list) {
  const std::vector<Sample> samples = all_images(input);
  return list.empty() ? samples : select_samples(samples, list);
}

Slice load_image(const Sample& sample, const StackOptions& options) {
  if (!is_raster_name(sample.image)) return load_slice(sample);
  Stack picture = read_image({sample.image}, options);
  return {picture.height, picture.width, picture.channels, std::move(picture.values), {}};
}

}  // namespace glia
