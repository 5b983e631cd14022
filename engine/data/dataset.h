// Image/mask pairs of a folder in the seed's layout: <id>_img.npy [H,W,C] and <id>_seg.npy [H,W].
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/formats/npy.h"

namespace glia {

/// What a file of the layout is called after its id.
inline constexpr std::string_view kImageSuffix = "_img.npy", kMaskSuffix = "_seg.npy";

/// One slice. `mask` is empty when the folder has none for it (prediction).
struct Sample {
  std::string id;
  std::filesystem::path image, mask;
};

/// A loaded slice: image [H,W,C] as stored, mask [H,W] in {0,1}; no mask when the sample has none.
struct Slice {
  std::int64_t height = 0, width = 0, channels = 0;
  std::vector<float> image, mask;
};

/// Something wrong with one file, and how to mend it.
struct Problem {
  std::filesystem::path file;
  std::string text;
  bool lacks_partner = false;  // an image without its mask, which prediction does not need
};

/// What a folder holds: every image, sorted by id, and what does not pair up.
struct Pairing {
  std::vector<Sample> samples;
  std::vector<Problem> problems;
};

/// Whether id `a` comes before `b`: runs of digits by value, so that "2" comes before "10".
bool id_less(std::string_view a, std::string_view b);

/// Looks through `folder` and its subfolders; hidden files are skipped. Problems are an id that
/// occurs twice or that a list of ids cannot hold (line feeds, blanks at its ends), an image
/// without a mask, a mask without an image, and a linked subfolder, whose target `flag` is said to
/// take. Throws `Error` when the folder is missing, unreadable or holds no images.
Pairing pair_files(const std::filesystem::path& folder, std::string_view flag = "--data");

/// Every pair below `folder` (subfolders included), sorted by id, numbers by value. Throws `Error`
/// when the folder is missing or empty, or listing every problem of `pair_files` in one message.
std::vector<Sample> scan_pairs(const std::filesystem::path& folder);

/// The samples whose ids stand in `list_file`, one a line, in the file's order. Throws `Error`
/// naming every id that `samples` lacks, that stands twice, or an empty list.
std::vector<Sample> select_samples(const std::vector<Sample>& samples,
                                   const std::filesystem::path& list_file);

/// The ids, in the same order.
std::vector<std::string> ids_of(const std::vector<Sample>& samples);

/// What makes an image unfit, empty when nothing: a rank other than 3, no pixels, NaN or Inf.
std::vector<std::string> image_problems(const NpyArray& image);

/// What makes a mask unfit, empty when nothing: a rank other than 2 (a trailing 1 is accepted), no
/// pixels, values other than {0,1} or {0,255}.
std::vector<std::string> mask_problems(const NpyArray& mask);

/// Why a mask does not lie on its image, empty when it does. Both must have passed the checks
/// above.
std::string size_problem(const NpyInfo& image, const NpyInfo& mask);

/// A mask [H,W] in {0,1}. Throws `Error` with the first of `mask_problems`.
std::vector<float> load_mask(const std::filesystem::path& path);

/// Loads a slice. Throws `Error` with the first of the problems above, or when the sizes of image
/// and mask differ.
Slice load_slice(const Sample& sample);

}  // namespace glia
