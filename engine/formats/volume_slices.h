// How a volume is cut into slices: which stored axis runs from slice to slice, down the rows and
// along the columns, and which of them backwards.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/formats/nifti_header.h"

namespace glia {

/// The plane of the slices. Pictures are as on a radiologist's screen: in an axial slice the first
/// row is the patient's front and the first column the right side; in a coronal one the head is up;
/// in a sagittal one the head is up and the front on the left.
enum class SlicePlane { axial, coronal, sagittal };

/// "axial", "coronal" or "sagittal" of --plane. Throws `Error` listing the choices.
SlicePlane parse_slice_plane(std::string_view text);
/// The same word.
const char* name_of(SlicePlane plane);
/// Whether --orientation says "stored"; throws `Error` unless it says that or "header".
bool parse_as_stored(std::string_view text);

using WorldPoint = std::array<double, 3>;  // mm, see Affine
using Corners = std::array<WorldPoint, 8>;

class VolumeSlices {
 public:
  /// Axes by the header's orientation, to the nearest axis where a volume lies obliquely. A volume
  /// without one, and any when `as_stored`, is cut as it is stored: slices along k, rows along j,
  /// columns along i. Throws `Error`, led by `name`, when the orientation is no rotation.
  VolumeSlices(const NiftiHeader& header, SlicePlane plane, bool as_stored,
               const std::string& name);

  std::int64_t slices() const { return extent_[0]; }
  std::int64_t height() const { return extent_[1]; }
  std::int64_t width() const { return extent_[2]; }
  /// mm from row to row and from column to column; 0 when unknown.
  double row_spacing() const { return spacing_[1]; }
  double column_spacing() const { return spacing_[2]; }

  /// The place of a voxel in the order [k, j, i].
  std::int64_t index(std::int64_t slice, std::int64_t row, std::int64_t column) const {
    return first_ + slice * stride_[0] + row * stride_[1] + column * stride_[2];
  }

  /// Voxels [slices, height, width], of T uint8 or float, in the order [k, j, i] of the file.
  template <class T>
  std::vector<T> to_stored_order(std::span<const T> voxels) const;

  /// Where the eight corners of the volume lie, in the order of slices; none when unknown.
  const std::optional<Corners>& corners() const { return corners_; }

 private:
  // In the order slice, row, column.
  std::array<std::int64_t, 3> extent_{}, stride_{};
  std::array<double, 3> spacing_{};
  std::int64_t first_ = 0;
  std::optional<Corners> corners_;
};

}  // namespace glia
