// The header of a NIfTI file, version 1 or 2 (structs and geometry by libnifti2). Nothing in it is
// believed before it is checked.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace glia {

/// Voxel (i, j, k, 1) to mm in space, counted towards the patient's right, front and head.
using Affine = std::array<std::array<double, 4>, 3>;

struct NiftiHeader {
  std::array<std::int64_t, 3> extent{1, 1, 1};  // voxels along i, j, k
  std::int64_t channels = 1;                    // the fourth or fifth dimension
  std::string type;                             // "uint8", "int16", ..., "float64"
  std::size_t item_size = 0;                    // bytes a value
  bool swapped = false;                         // values are in the other byte order
  std::size_t data_offset = 0;                  // bytes from the start of the file
  double slope = 1, intercept = 0;              // value = slope * stored + intercept
  std::array<double, 3> spacing{};              // mm between voxels along i, j, k; see doubt
  std::optional<Affine> affine;                 // none when the header does not say
  /// Where i, j and k lead, to the nearest, each one of R(ight) L(eft) A(nterior) P(osterior)
  /// S(uperior) I(nferior): "LPS". Empty without an affine, or when that is no rotation.
  std::string axes;
  std::string doubt;  // what sform, qform and pixdim say differently; empty when they agree
  std::string kind;   // "int16 [240, 240, 155]"
  std::string bytes;  // the header itself, in this machine's byte order

  std::size_t data_bytes() const {
    return static_cast<std::size_t>(extent[0] * extent[1] * extent[2] * channels) * item_size;
  }
};

/// The longer of the two headers, NIfTI-2's.
inline constexpr std::size_t kMaxNiftiHeader = 540;

/// Parses the first bytes of an unpacked file; `prefix` holds all of it or at least kMaxNiftiHeader
/// bytes. Throws `Error`, led by `name`, unless they describe one volume of real numbers that are
/// stored in the same file.
NiftiHeader parse_nifti_header(std::string_view prefix, const std::string& name);

/// The bytes of a header for a mask of unsigned 8-bit voxels that lie where those of `like` do:
/// everything that says where is copied, whatever says something of the values is not.
std::string mask_header(const NiftiHeader& like);

}  // namespace glia
