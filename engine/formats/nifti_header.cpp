#include "engine/formats/nifti_header.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

// NIfTI's structs, byte order and geometry.
#include <nifti2_io.h>

#include "engine/base/check.h"

namespace glia {

namespace {

static_assert(sizeof(nifti_1_header) == 348 && sizeof(nifti_2_header) == kMaxNiftiHeader);

constexpr std::int64_t kMaxVolumeValues = std::int64_t{1} << 30;  // 4 GiB as float
constexpr std::size_t kExtender = 4;  // bytes between header and data that say "no extensions"

struct Type {
  int code;
  const char* name;
};
constexpr Type kTypes[] = {{DT_UINT8, "uint8"},    {DT_INT8, "int8"},     {DT_INT16, "int16"},
                           {DT_UINT16, "uint16"},  {DT_INT32, "int32"},   {DT_UINT32, "uint32"},
                           {DT_INT64, "int64"},    {DT_UINT64, "uint64"}, {DT_FLOAT32, "float32"},
                           {DT_FLOAT64, "float64"}};

template <class Header>
void read_extents(NiftiHeader& out, const Header& raw, const std::string& name) {
  const auto rank = static_cast<std::int64_t>(raw.dim[0]);
  check(rank >= 1 && rank <= 7, "{}: damaged NIfTI header: {} dimensions; copy the file again",
        name, rank);
  std::int64_t numel = 1;
  for (std::int64_t d = 1; d <= rank; ++d) {
    const auto extent = static_cast<std::int64_t>(raw.dim[d]);
    check(extent >= 1 && extent <= kMaxVolumeValues / numel,
          "{}: a NIfTI header with the extents [{}]; expected at least 1 each and no more than {} "
          "values; the file is damaged or no scan",
          name, fmt::join(std::vector<std::int64_t>(raw.dim + 1, raw.dim + rank + 1), ", "),
          kMaxVolumeValues);
    numel *= extent;
    if (d <= 3) {
      out.extent[d - 1] = extent;
    } else if (extent > 1) {
      check(
          out.channels == 1,
          "{}: a NIfTI file of {} dimensions; expected three, and a fourth for channels: split it",
          name, rank);
      out.channels = extent;
    }
  }
}

template <class Header>
void read_type(NiftiHeader& out, const Header& raw, const std::string& name) {
  const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const Type& t) { return t.code == raw.datatype; });
  check(type != std::end(kTypes),
        "{}: NIfTI data type {} is not supported; expected whole numbers of 8 to 64 bits, float32 "
        "or float64: convert it",
        name, raw.datatype);
  int bytes = 0, unused = 0;
  nifti_datatype_sizes(type->code, &bytes, &unused);
  check(raw.bitpix == 8 * bytes, "{}: damaged NIfTI header: {} of {} bits; copy the file again",
        name, type->name, raw.bitpix);
  out.type = type->name;
  out.item_size = static_cast<std::size_t>(bytes);
  out.kind = out.channels == 1 ? fmt::format("{} [{}]", type->name, fmt::join(out.extent, ", "))
                               : fmt::format("{} [{}, {}]", type->name, fmt::join(out.extent, ", "),
                                             out.channels);
}

template <class Header>
void read_scale(NiftiHeader& out, const Header& raw, const std::string& name) {
  // A slope of 0 or NaN says that the stored values are the values.
  if (raw.scl_slope == 0 || std::isnan(raw.scl_slope)) return;
  out.slope = raw.scl_slope;
  out.intercept = raw.scl_inter;
  check(
      std::isfinite(out.slope) && std::isfinite(out.intercept),
      "{}: a NIfTI header that scales its values by {} and shifts them by {}; write it again with "
      "finite numbers",
      name, out.slope, out.intercept);
}

std::string axes_of(const Affine& affine) {
  nifti_dmat44 matrix{};
  for (std::size_t row = 0; row < 3; ++row)
    std::copy(affine[row].begin(), affine[row].end(), matrix.m[row]);
  matrix.m[3][3] = 1;
  std::array<int, 3> codes{};
  nifti_dmat44_to_orientation(matrix, &codes[0], &codes[1], &codes[2]);
  static_assert(NIFTI_L2R == 1 && NIFTI_R2L == 2 && NIFTI_P2A == 3 && NIFTI_A2P == 4 &&
                NIFTI_I2S == 5 && NIFTI_S2I == 6);
  std::string axes;
  for (int code : codes)
    if (code >= 1 && code <= 6) axes += "RLAPSI"[code - 1];
  return axes.size() == 3 ? axes : "";
}

using Lengths = std::array<double, 3>;  // mm from voxel to voxel along i, j, k

Lengths lengths_of(const Affine& affine) {
  Lengths lengths{};
  for (std::size_t a = 0; a < 3; ++a)
    lengths[a] = std::hypot(affine[0][a], affine[1][a], affine[2][a]);
  return lengths;
}

template <class Header>
Affine sform_of(const Header& raw) {
  Affine affine{};
  std::copy_n(raw.srow_x, 4, affine[0].begin());
  std::copy_n(raw.srow_y, 4, affine[1].begin());
  std::copy_n(raw.srow_z, 4, affine[2].begin());
  return affine;
}

template <class Header>
Affine qform_of(const Header& raw) {
  const nifti_dmat44 matrix = nifti_quatern_to_dmat44(
      raw.quatern_b, raw.quatern_c, raw.quatern_d, raw.qoffset_x, raw.qoffset_y, raw.qoffset_z,
      raw.pixdim[1], raw.pixdim[2], raw.pixdim[3], raw.pixdim[0] < 0 ? -1 : 1);
  Affine affine{};
  for (std::size_t row = 0; row < 3; ++row) std::copy_n(matrix.m[row], 4, affine[row].begin());
  return affine;
}

bool differ(const Lengths& a, const Lengths& b) {
  constexpr double kTolerance = 0.01;  // headers round
  for (std::size_t i = 0; i < 3; ++i)
    if (std::abs(a[i] - b[i]) > kTolerance * std::max(a[i], b[i])) return true;
  return false;
}

std::string millimetres(const Lengths& lengths) {
  return fmt::format("{:.5g} x {:.5g} x {:.5g} mm", lengths[0], lengths[1], lengths[2]);
}

/// What the sform, which was followed so far, and the rest of the header say differently. Distances
/// of which two of the three say the same are believed.
template <class Header>
void compare_forms(NiftiHeader& out, const Header& raw, const Lengths& pixdim) {
  const bool known = std::all_of(pixdim.begin(), pixdim.end(), [](double mm) { return mm > 0; });
  if (known && differ(out.spacing, pixdim)) {
    const bool agreed = raw.qform_code > 0;
    out.doubt =
        fmt::format("its sform says that voxels are {} apart, its {} {}; {} was believed",
                    millimetres(out.spacing), agreed ? "qform and pixdim say" : "pixdim says",
                    millimetres(pixdim), agreed ? "the latter" : "the sform");
    if (agreed) out.spacing = pixdim;
  }
  if (raw.qform_code <= 0) return;
  const std::string axes = axes_of(qform_of(raw));
  if (!axes.empty() && axes != out.axes)
    out.doubt += fmt::format(
        "{}its sform says that voxels run to {}, its qform to {}; the sform "
        "was believed",
        out.doubt.empty() ? "" : "; ", out.axes, axes);
}

/// A rotation's is at most 1 long; rounding adds little.
template <class Header>
void check_quaternion(const Header& raw, const std::string& name) {
  const double length = std::hypot(raw.quatern_b, raw.quatern_c, raw.quatern_d);
  check(length <= 1.01,
        "{}: a NIfTI header whose qform is no rotation: its quaternion ({:g}, {:g}, {:g}) is {:g} "
        "long, expected at most 1; write it again with a sound orientation",
        name, raw.quatern_b, raw.quatern_c, raw.quatern_d, length);
}

template <class Header>
void read_place(NiftiHeader& out, const Header& raw, const std::string& name) {
  double unit = 1;  // mm, also where the header says nothing
  if (XYZT_TO_SPACE(raw.xyzt_units) == NIFTI_UNITS_METER) unit = 1000;
  if (XYZT_TO_SPACE(raw.xyzt_units) == NIFTI_UNITS_MICRON) unit = 0.001;
  const bool known = std::all_of(raw.pixdim + 1, raw.pixdim + 4,
                                 [](double length) { return std::isfinite(length); });
  for (std::size_t a = 0; a < 3 && known; ++a) out.spacing[a] = unit * std::abs(raw.pixdim[a + 1]);
  if (raw.sform_code <= 0 && raw.qform_code <= 0) return;
  if (raw.qform_code > 0) check_quaternion(raw, name);
  Affine affine = raw.sform_code > 0 ? sform_of(raw) : qform_of(raw);
  for (auto& row : affine)
    for (double& value : row) value *= unit;
  const Lengths lengths = lengths_of(affine), pixdim = out.spacing;
  for (std::size_t a = 0; a < 3; ++a)
    check(std::isfinite(lengths[a]) && lengths[a] > 0 && std::isfinite(affine[a][3]),
          "{}: a NIfTI header whose {}form puts all voxels along axis {} in one place or nowhere; "
          "write it again with a sound orientation",
          name, raw.sform_code > 0 ? 's' : 'q', a + 1);
  out.spacing = lengths;
  out.affine = affine;
  out.axes = axes_of(affine);
  if (raw.sform_code > 0) compare_forms(out, raw, pixdim);
}

template <class Header>
NiftiHeader read_fields(Header raw, bool swapped, void (*swap)(Header*), const std::string& name) {
  if (swapped) swap(&raw);
  check(std::memcmp(raw.magic, "ni", 2) != 0,
        "{}: the header of a pair of .hdr and .img files; convert it to one .nii file", name);
  check(std::memcmp(raw.magic, "n+", 2) == 0,
        "{}: an Analyze header or a damaged NIfTI one; convert it to .nii", name);
  NiftiHeader out;
  out.swapped = swapped;
  read_extents(out, raw, name);
  read_type(out, raw, name);
  read_scale(out, raw, name);
  read_place(out, raw, name);
  constexpr std::size_t kLeast = sizeof raw + kExtender;
  const auto offset = static_cast<double>(raw.vox_offset);
  check(offset == 0 || (offset >= kLeast && offset < 1e9 && offset == std::floor(offset)),
        "{}: damaged NIfTI header: the data starts at byte {}, expected {} or more; copy the file "
        "again",
        name, offset, kLeast);
  // Some programs write 0 for "right after the header", and all read it so.
  out.data_offset = offset == 0 ? kLeast : static_cast<std::size_t>(offset);
  out.bytes.assign(reinterpret_cast<const char*>(&raw), sizeof raw);
  return out;
}

template <class Header>
Header header_of(std::string_view bytes) {
  Header raw;
  std::memcpy(&raw, bytes.data(), sizeof raw);
  return raw;
}

template <class Header>
std::string mask_header_of(const NiftiHeader& like) {
  auto raw = header_of<Header>(like.bytes);
  raw.dim[0] = 3;
  for (int d = 4; d <= 7; ++d) raw.dim[d] = 1;
  raw.datatype = DT_UINT8;
  raw.bitpix = 8;
  raw.vox_offset = sizeof raw + kExtender;
  raw.scl_slope = 1;
  raw.scl_inter = 0;
  raw.cal_min = 0;
  raw.cal_max = 1;
  raw.intent_code = NIFTI_INTENT_NONE;
  std::memset(raw.intent_name, 0, sizeof raw.intent_name);
  std::memset(raw.descrip, 0, sizeof raw.descrip);
  std::strcpy(raw.descrip, "mask by glia predict");
  std::string bytes(reinterpret_cast<const char*>(&raw), sizeof raw);
  bytes.append(kExtender, '\0');
  return bytes;
}

}  // namespace

NiftiHeader parse_nifti_header(std::string_view prefix, const std::string& name) {
  std::int32_t size = 0;
  check(prefix.size() >= sizeof(nifti_1_header), "{}: {} bytes are no NIfTI file; copy it again",
        name, prefix.size());
  std::memcpy(&size, prefix.data(), sizeof size);
  const std::int32_t other = static_cast<std::int32_t>(__builtin_bswap32(size));
  constexpr int kFirst = sizeof(nifti_1_header), kSecond = sizeof(nifti_2_header);
  if (size == kFirst || other == kFirst)
    return read_fields(header_of<nifti_1_header>(prefix), other == kFirst, nifti_swap_as_nifti1,
                       name);
  check(size == kSecond || other == kSecond,
        "{}: not a NIfTI file (its first number is {}, expected 348 or 540); convert it to .nii",
        name, size);
  check(prefix.size() >= sizeof(nifti_2_header), "{}: truncated inside the NIfTI header", name);
  return read_fields(header_of<nifti_2_header>(prefix), other == kSecond, nifti_swap_as_nifti2,
                     name);
}

std::string mask_header(const NiftiHeader& like) {
  return like.bytes.size() == sizeof(nifti_1_header) ? mask_header_of<nifti_1_header>(like)
                                                     : mask_header_of<nifti_2_header>(like);
}

}  // namespace glia
