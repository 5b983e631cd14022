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
  bool alpha = false;  // the last channel is the opacity; `opaque` is its greatest value
  float opaque = 0;
  bool lossy = false;                          // compressed in a way that changes pixels
  std::string kind;                            // "8-bit RGB PNG", "int16 [240, 240, 155]"
  double row_spacing = 0, column_spacing = 0;  // mm, 0 when unknown
  std::optional<Corners> corners;              // where the volume lies, when its file says so
  std::vector<float> values;                   // [slices, height, width, channels]

  /// Slice `i`, [height, width, channels].
  std::span<const float> slice(std::int64_t i) const {
    const auto size = static_cast<std::size_t>(height * width * channels);
    return std::span(values).subspan(static_cast<std::size_t>(i) * size, size);
  }
};

struct StackOptions {
  SlicePlane plane = SlicePlane::axial;
  bool as_stored = false;  // see VolumeSlices
  std::vector<std::int64_t> take_channels =
      {};  // of all files of an image together; empty takes all
};

/// Whether the name's ending is one that `read_stack` knows: .png .tif .tiff .jpg .jpeg .npy .nii
/// .nii.gz
bool is_stack_name(const std::filesystem::path& path);

/// The file name without the ending that `is_stack_name` knows ("a.b.nii.gz": "a.b").
std::string stem_of(const std::filesystem::path& path);

/// One file. Throws `Error` naming it when its format is unknown or it is damaged.
Stack read_stack(const std::filesystem::path& path, const StackOptions& options);

/// The files of one image, their channels one after the other, then those of `take_channels`. An
/// alpha channel that is opaque everywhere is left out unless channels are chosen. Throws `Error`
/// naming the file that is damaged, differs in size, lies elsewhere, or has a channel too few.
Stack read_image(const std::vector<std::filesystem::path>& files, const StackOptions& options);

/// A mask: one channel, from a file that keeps values as they are. Grey stored as RGB is grey.
/// Throws `Error` naming the file when it is lossy or in colour.
Stack read_mask_stack(const std::filesystem::path& path, const StackOptions& options);

/// Whether a slice has one value a channel everywhere, as those above and below a head have.
bool is_blank(std::span<const float> slice, std::int64_t channels);

/// Why the stacks do not lie on each other, empty when they do: other sizes, or voxels that lie
/// elsewhere in space by more than a tenth of the way between them. `file` is that of `other`.
std::string overlay_problem(const Stack& image, const Stack& other,
                            const std::filesystem::path& file);

}  // namespace glia
