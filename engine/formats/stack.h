// A file of any format as a stack of slices: one for a picture or an .npy array, many for a volume.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/formats/volume_slices.h"

namespace glia {

struct Stack {
  std::int64_t slices = 1, height = 0, width = 0, channels = 1;
  bool alpha = false;          // the last channel is the opacity
  bool lossy = false;          // compressed in a way that changes pixels
  bool white_is_zero = false;  // the file says so; the values have been turned round
  bool turned = false;         // upright, as its EXIF or XMP orientation said
  int bits = 0;                // of a picture of whole numbers; 0 otherwise
  /// The value of white or of an opaque pixel, of each file with pictures; 0 for other files.
  std::vector<float> most = {0};
  std::string kind;                            // "8-bit RGB PNG", "int16 [240, 240, 155]"
  double row_spacing = 0, column_spacing = 0;  // mm, 0 when unknown
  std::optional<Corners> corners;              // where the volume lies, when its file says so
  std::vector<float> values;                   // [slices, height, width, channels]
  std::vector<float> indices = {};             // [height, width], of a picture with a palette
  std::vector<std::string> doubts = {};        // what the file says in two ways; led by its name

  /// Slice `i`, [height, width, channels].
  std::span<const float> slice(std::int64_t i) const {
    const auto size = static_cast<std::size_t>(height * width * channels);
    return std::span(values).subspan(static_cast<std::size_t>(i) * size, size);
  }
};

struct StackOptions {
  SlicePlane plane = SlicePlane::axial;
  bool as_stored = false;  // volumes see VolumeSlices; pictures are not turned by their EXIF
  std::vector<std::int64_t> take_channels =
      {};  // of all files of an image together; empty takes all
  std::optional<std::int64_t> mask_channel = {};  // of masks with several; none: they must agree
};

/// Whether the name's ending is one that `read_stack` knows: .png .tif .tiff .jpg .jpeg .npy .nii
/// .nii.gz
bool is_stack_name(const std::filesystem::path& path);

/// The file name without the ending that `is_stack_name` knows ("a.b.nii.gz": "a.b").
std::string stem_of(const std::filesystem::path& path);

/// The name of slice `number` (from 0) of the `slices` of a volume: "id_007" where there are more
/// than a hundred.
std::string id_in_volume(const std::string& id, std::int64_t number, std::int64_t slices);

/// One file. Throws `Error` naming it when its format is unknown or it is damaged.
Stack read_stack(const std::filesystem::path& path, const StackOptions& options);

/// The files of one image, their channels one after the other, then those of `take_channels`.
/// Pictures of less than 8 bits are stretched to 255. An alpha channel that is opaque everywhere is
/// left out unless channels are chosen. Throws `Error` naming the file that is damaged, differs in
/// size, lies elsewhere, or has a channel too few.
Stack read_image(const std::vector<std::filesystem::path>& files, const StackOptions& options);

/// The channels `chosen` of pixels that have `channels` values each, in that order. Throws `Error`
/// naming `file` when it has no such channel.
std::vector<float> take_channels(const std::vector<float>& pixels, std::int64_t channels,
                                 const std::vector<std::int64_t>& chosen,
                                 const std::filesystem::path& file);

/// A mask: one channel, from a file that keeps values as they are. Grey stored as RGB is grey; of a
/// palette in colour the places are the values; alpha may be opaque or agree with the mask. Throws
/// `Error` naming the file when it is lossy, in other colours, or its background cannot be told.
Stack read_mask_stack(const std::filesystem::path& path, const StackOptions& options);

/// Whether a slice has one value a channel everywhere, as those above and below a head have.
bool is_blank(std::span<const float> slice, std::int64_t channels);

/// Why the stacks do not lie on each other, empty when they do: other sizes, or voxels that lie
/// elsewhere in space by more than a tenth of the way between them. `file` is that of `other`.
std::string overlay_problem(const Stack& image, const Stack& other,
                            const std::filesystem::path& file);

}  // namespace glia
