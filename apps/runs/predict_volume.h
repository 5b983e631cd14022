// Segments a NIfTI volume slice by slice.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/if_there.h"
#include "engine/data/dataset.h"
#include "engine/formats/stack.h"

namespace glia {

/// How much of a volume was called tumour.
struct VolumeResult {
  std::int64_t slices = 0, with_tumour = 0;
  double millilitres = 0;
  std::vector<std::string> doubts = {};  // see Stack
};

/// What the network says of a slice, [height, width] each.
struct SegmentedSlice {
  std::vector<float> mask;  // in {0, 1}
  std::vector<float> probability;
};

/// What is written of a volume.
struct VolumeFiles {
  std::filesystem::path mask;         // .nii.gz
  std::filesystem::path probability;  // .npy, float32 in the order [k, j, i] of the file; or empty
  IfThere if_there = IfThere::replace;

  /// Of those that are not empty, without folders.
  std::vector<std::string> names() const;
};

/// Reads `files`, the channels of one volume, asks `segment` for every slice that is not blank (see
/// is_blank; glia import leaves those out, so networks do not know them; their probability is 0)
/// and writes `written`, whose folder must be there. The mask has the grid and the place in space
/// of the first file. `progress` hears how many slices of how many are done. Throws `Error` where
/// read_image does, and when the disk refuses.
VolumeResult predict_volume(const std::vector<std::filesystem::path>& files,
                            const StackOptions& options, const VolumeFiles& written,
                            const std::function<SegmentedSlice(const Slice&)>& segment,
                            const std::function<void(std::int64_t, std::int64_t)>& progress);

}  // namespace glia
