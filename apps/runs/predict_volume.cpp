#include "apps/runs/predict_volume.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/formats/nifti.h"
#include "engine/formats/npy.h"

namespace glia {

namespace fs = std::filesystem;

std::vector<std::string> VolumeFiles::names() const {
  std::vector<std::string> names{mask.filename().string()};
  if (!probability.empty()) names.push_back(probability.filename().string());
  return names;
}

VolumeResult predict_volume(const std::vector<fs::path>& files, const StackOptions& options,
                            const VolumeFiles& written,
                            const std::function<SegmentedSlice(const Slice&)>& segment,
                            const std::function<void(std::int64_t, std::int64_t)>& progress) {
  for (const fs::path& one : files)
    check(is_nifti_name(one), "{}: expected .nii or .nii.gz, like the other files of the volume",
          one.string());
  const Stack volume = read_image(files, options);
  const NiftiHeader header = read_nifti_header(files.front());
  const VolumeSlices cut(header, options.plane, options.as_stored, files.front().string());

  VolumeResult result{.slices = volume.slices, .doubts = volume.doubts};
  std::vector<std::uint8_t> mask;
  std::vector<float> probability;
  for (std::int64_t i = 0; i < volume.slices; ++i) {
    const auto pixels = volume.slice(i);
    SegmentedSlice part;
    part.mask.resize(static_cast<std::size_t>(volume.height * volume.width));
    part.probability = part.mask;
    if (!is_blank(pixels, volume.channels))
      part = segment({volume.height,
                      volume.width,
                      volume.channels,
                      std::vector<float>(pixels.begin(), pixels.end()),
                      {}});
    mask.insert(mask.end(), part.mask.begin(), part.mask.end());
    if (!written.probability.empty())
      probability.insert(probability.end(), part.probability.begin(), part.probability.end());
    if (std::find(part.mask.begin(), part.mask.end(), 1.0F) != part.mask.end())
      ++result.with_tumour;
    progress(i + 1, volume.slices);
  }
  const double voxel = header.spacing[0] * header.spacing[1] * header.spacing[2];
  result.millilitres = voxel / 1000 * static_cast<double>(std::count(mask.begin(), mask.end(), 1));
  if (!written.probability.empty())
    write_npy<float>(written.probability, {header.extent[2], header.extent[1], header.extent[0]},
                     cut.to_stored_order<float>(probability), true, written.if_there);
  write_nifti_mask(written.mask, header, cut.to_stored_order<std::uint8_t>(mask), written.if_there);
  return result;
}

}  // namespace glia
