#include "engine/formats/volume_slices.h"

#include <algorithm>

#include "engine/base/check.h"

namespace glia {

namespace {

/// A stored axis, and whether to walk it from its end.
struct Walk {
  std::size_t axis;
  bool reversed = false;
};
using Walks = std::array<Walk, 3>;  // from slice to slice, row to row, column to column

/// Where slices, rows and columns lead; see NiftiHeader::axes.
std::string_view directions(SlicePlane plane) {
  switch (plane) {
    case SlicePlane::axial: return "SPL";
    case SlicePlane::coronal: return "PIL";
    case SlicePlane::sagittal: return "LIP";
  }
  return {};
}

char opposite(char direction) {
  constexpr std::string_view kFrom = "RLAPSI", kTo = "LRPAIS";
  return kTo[kFrom.find(direction)];
}

Walks find_walks(const std::string& axes, SlicePlane plane, const std::string& name) {
  check(!axes.empty(),
        "{}: a NIfTI header whose orientation is no rotation; write it again with a sound one, or "
        "pass --orientation stored",
        name);
  Walks walks{};
  for (std::size_t t = 0; t < 3; ++t) {
    const char wanted = directions(plane)[t];
    const std::size_t along = axes.find(wanted), against = axes.find(opposite(wanted));
    walks[t] = {std::min(along, against), along == std::string::npos};
  }
  return walks;
}

}  // namespace

SlicePlane parse_slice_plane(std::string_view text) {
  for (SlicePlane plane : {SlicePlane::axial, SlicePlane::coronal, SlicePlane::sagittal})
    if (text == name_of(plane)) return plane;
  fail("--plane {}: expected axial, coronal or sagittal", text);
}

const char* name_of(SlicePlane plane) {
  switch (plane) {
    case SlicePlane::axial: return "axial";
    case SlicePlane::coronal: return "coronal";
    case SlicePlane::sagittal: return "sagittal";
  }
  return "?";
}

bool parse_as_stored(std::string_view text) {
  check(text == "header" || text == "stored", "--orientation {}: expected header or stored", text);
  return text == "stored";
}

VolumeSlices::VolumeSlices(const NiftiHeader& header, SlicePlane plane, bool as_stored,
                           const std::string& name) {
  const bool by_header = header.affine && !as_stored;
  const Walks walks = by_header ? find_walks(header.axes, plane, name) : Walks{{{2}, {1}, {0}}};
  const std::array<std::int64_t, 3> stride{1, header.extent[0],
                                           header.extent[0] * header.extent[1]};
  for (std::size_t t = 0; t < 3; ++t) {
    const auto [axis, reversed] = walks[t];
    extent_[t] = header.extent[axis];
    spacing_[t] = header.spacing[axis];
    stride_[t] = reversed ? -stride[axis] : stride[axis];
    if (reversed) first_ += stride[axis] * (extent_[t] - 1);
  }
  if (!by_header) return;
  corners_.emplace();
  for (std::size_t corner = 0; corner < 8; ++corner) {
    WorldPoint voxel{};
    for (std::size_t t = 0; t < 3; ++t) {
      const bool at_end = (corner >> t & 1) != 0;
      if (at_end != walks[t].reversed) voxel[walks[t].axis] = static_cast<double>(extent_[t] - 1);
    }
    for (std::size_t row = 0; row < 3; ++row) {
      const std::array<double, 4>& m = (*header.affine)[row];
      (*corners_)[corner][row] = m[0] * voxel[0] + m[1] * voxel[1] + m[2] * voxel[2] + m[3];
    }
  }
}

template <class T>
std::vector<T> VolumeSlices::to_stored_order(std::span<const T> voxels) const {
  std::vector<T> stored(voxels.size());
  check(std::ssize(voxels) == slices() * height() * width(),
        "volume: {} voxels for {} slices of {} x {}", voxels.size(), slices(), height(), width());
  std::size_t from = 0;
  for (std::int64_t slice = 0; slice < slices(); ++slice)
    for (std::int64_t row = 0; row < height(); ++row)
      for (std::int64_t column = 0; column < width(); ++column)
        stored[index(slice, row, column)] = voxels[from++];
  return stored;
}

template std::vector<std::uint8_t> VolumeSlices::to_stored_order(
    std::span<const std::uint8_t>) const;
template std::vector<float> VolumeSlices::to_stored_order(std::span<const float>) const;

}  // namespace glia
