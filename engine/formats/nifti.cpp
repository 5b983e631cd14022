#include "engine/formats/nifti.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/formats/gzip.h"
#include "engine/formats/to_float32.h"

namespace glia {

namespace {

constexpr std::size_t kMaxVolumeFile = std::size_t{9} << 30;

template <class T>
void convert(std::string_view data, const NiftiHeader& header, const std::string& name,
             std::vector<float>& values) {
  ToFloat32 narrow;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::array<char, sizeof(T)> bytes;
    std::memcpy(bytes.data(), data.data() + i * sizeof(T), sizeof(T));
    if (header.swapped) std::reverse(bytes.begin(), bytes.end());
    const auto stored = static_cast<double>(std::bit_cast<T>(bytes));
    values[i] = narrow(header.slope * stored + header.intercept);
  }
  narrow.check_range(name, values.size());
}

void convert_all(std::string_view data, const NiftiHeader& header, const std::string& name,
                 std::vector<float>& values) {
  const std::string& type = header.type;
  if (type == "uint8") return convert<std::uint8_t>(data, header, name, values);
  if (type == "int8") return convert<std::int8_t>(data, header, name, values);
  if (type == "int16") return convert<std::int16_t>(data, header, name, values);
  if (type == "uint16") return convert<std::uint16_t>(data, header, name, values);
  if (type == "int32") return convert<std::int32_t>(data, header, name, values);
  if (type == "uint32") return convert<std::uint32_t>(data, header, name, values);
  if (type == "int64") return convert<std::int64_t>(data, header, name, values);
  if (type == "uint64") return convert<std::uint64_t>(data, header, name, values);
  if (type == "float32") return convert<float>(data, header, name, values);
  return convert<double>(data, header, name, values);
}

/// The unpacked file, or `bytes` themselves. The size that the header claims is compared with that
/// of the file before memory is taken.
std::string_view unpack(std::string_view bytes, std::size_t expected, const std::string& name,
                        std::string& memory) {
  if (!is_gzip(bytes)) return bytes;
  check(expected / kMaxGzipRatio <= bytes.size(),
        "{}: the header claims {} bytes, more than a packed file of {} can hold; copy it again",
        name, expected, bytes.size());
  memory = gunzip(bytes, expected, name);
  return memory;
}

NiftiHeader header_of(std::string_view bytes, const std::string& name) {
  const std::string start = is_gzip(bytes) ? gunzip_start(bytes, kMaxNiftiHeader, name)
                                           : std::string(bytes.substr(0, kMaxNiftiHeader));
  return parse_nifti_header(start, name);
}

}  // namespace

bool is_nifti_name(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.ends_with(".nii") || name.ends_with(".nii.gz");
}

NiftiVolume decode_nifti(std::string_view bytes, const std::string& name) {
  check(!bytes.empty(), "{}: the file is empty; expected a NIfTI volume", name);
  NiftiVolume volume{header_of(bytes, name), {}};
  const NiftiHeader& header = volume.header;
  const std::size_t expected = header.data_offset + header.data_bytes();
  std::string memory;
  const std::string_view whole = unpack(bytes, expected, name, memory);
  check(whole.size() >= expected,
        "{}: {} needs {} bytes, the file has {}; it was cut off or its header is damaged: copy it "
        "again",
        name, header.kind, expected, whole.size());
  check(whole.size() == expected,
        "{}: {} bytes too long: {} needs {} bytes, the file has {}; write it again without what "
        "comes after its voxels, or with a header that counts it",
        name, whole.size() - expected, header.kind, expected, whole.size());
  volume.values.resize(header.data_bytes() / header.item_size);
  convert_all(whole.substr(header.data_offset), header, name, volume.values);
  return volume;
}

NiftiVolume read_nifti(const std::filesystem::path& path) {
  return with_memory_for(
      path, [&] { return decode_nifti(read_file(path, kMaxVolumeFile), path.string()); });
}

NiftiHeader read_nifti_header(const std::filesystem::path& path) {
  return header_of(read_file(path, kMaxVolumeFile), path.string());
}

void write_nifti_mask(const std::filesystem::path& path, const NiftiHeader& like,
                      std::span<const std::uint8_t> mask, IfThere if_there) {
  const std::int64_t voxels = like.extent[0] * like.extent[1] * like.extent[2];
  check(std::ssize(mask) == voxels, "{}: a mask of {} voxels for a volume of {}", path.string(),
        mask.size(), voxels);
  std::string bytes = mask_header(like);
  bytes.append(reinterpret_cast<const char*>(mask.data()), mask.size());
  write_file_atomically(path, gzip(bytes), if_there);
}

}  // namespace glia
