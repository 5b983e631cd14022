#include "apps/runs/predict_volume.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/formats/nifti.h"

namespace glia {

namespace fs = std::filesystem;

VolumeResult predict_volume(const std::vector<fs::path>& files, const StackOptions& options,
                            const fs::path& file,
                            const std::function<std::vector<float>(const Slice&)>& segment,
                            const std::function<void(std::int64_t, std::int64_t)>& progress) {
  for (const fs::path& one : files)
    check(is_nifti_name(one), "{}: expected .nii or .nii.gz, like the other files of the volume",
          one.string());
  const Stack volume = read_image(files, options);
  const NiftiHeader header = read_nifti_header(files.front());
  const VolumeSlices cut(header, options.plane, options.as_stored, files.front().string());

  VolumeResult result{.slices = volume.slices, .doubts = volume.doubts};
  std::vector<std::uint8_t> mask;
  for (std::int64_t i = 0; i < volume.slices; ++i) {
    const auto pixels = volume.slice(i);
    std::vector<float> part(static_cast<std::size_t>(volume.height * volume.width));
    if (!is_blank(pixels, volume.channels))
      part = segment({volume.height,
                      volume.width,
                      volume.channels,
                      std::vector<float>(pixels.begin(), pixels.end()),
                      {}});
    mask.insert(mask.end(), part.begin(), part.end());
    if (std::find(part.begin(), part.end(), 1.0F) != part.end()) ++result.with_tumour;
    progress(i + 1, volume.slices);
  }
  const double voxel = header.spacing[0] * header.spacing[1] * header.spacing[2];
  result.millilitres = voxel / 1000 * static_cast<double>(std::count(mask.begin(), mask.end(), 1));
  make_folder(file.parent_path());
  write_nifti_mask(file, header, cut.to_stored_order(mask));
  return result;
}

}  // namespace glia
