// Image/mask pairs of a folder in the seed's layout: <id>_img.npy [H,W,C] and <id>_seg.npy [H,W].
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace glia {

/// One slice. `mask` is empty when the folder has none for it (prediction).
struct Sample {
  std::string id;
  std::filesystem::path image, mask;
};

/// A loaded slice: image [H,W,C] as stored, mask [H,W] in {0,1}.
struct Slice {
  std::int64_t height = 0, width = 0, channels = 0;
  std::vector<float> image, mask;
};

/// Every pair below `folder` (subfolders included), sorted by id, numbers by value. Throws `Error`
/// when the folder is missing or empty, an id occurs twice, or an image has no mask or a mask no
/// image (all orphans listed in the one message).
std::vector<Sample> scan_pairs(const std::filesystem::path& folder);

/// The samples whose ids stand in `list_file`, one a line, in the file's order. Throws `Error`
/// naming every id that `samples` lacks.
std::vector<Sample> select_samples(const std::vector<Sample>& samples,
                                   const std::filesystem::path& list_file);

/// Loads a pair. Masks may hold {0,1} or {0,255}. Throws `Error` on other label values, NaN or Inf,
/// a rank other than 3 (image) or 2 (mask; a trailing 1 is accepted), or sizes that differ.
Slice load_slice(const Sample& sample);

}  // namespace glia
