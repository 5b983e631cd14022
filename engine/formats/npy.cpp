#include "engine/formats/npy.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/formats/npy_header.h"
#include "engine/formats/to_float32.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxNpyFile = std::size_t{8} << 30;
constexpr std::int64_t kMaxChannelsFirst = 16;

/// IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits.
float half_to_float(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  float magnitude;
  if (exponent == 31)
    magnitude = fraction ? std::nanf("") : std::numeric_limits<float>::infinity();
  else if (exponent == 0)
    magnitude = std::ldexp(static_cast<float>(fraction), -24);
  else
    magnitude = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return std::copysign(magnitude, bits & 0x8000 ? -1.0f : 1.0f);
}

struct Half {
  std::uint16_t bits;
};
struct Bool {
  std::uint8_t byte;
};

float to_float(Half value) {
  return half_to_float(value.bits);
}
float to_float(Bool value) {
  return value.byte ? 1.0f : 0.0f;
}
template <class T>
float to_float(T value) {
  return static_cast<float>(value);
}

template <class T>
void convert(std::string_view bytes, bool big_endian, std::vector<float>& values, auto&& as_float) {
  const bool swap = big_endian != (std::endian::native == std::endian::big);
  for (std::size_t i = 0; i < values.size(); ++i) {
    char item[sizeof(T)];
    std::memcpy(item, bytes.data() + i * sizeof(T), sizeof(T));
    if (swap) std::reverse(item, item + sizeof(T));
    values[i] = as_float(std::bit_cast<T>(item));
  }
}

void convert(std::string_view bytes, const NpyHeader& header, const std::string& name,
             std::vector<float>& values) {
  const auto with = [&]<class T>(T) {
    convert<T>(bytes, header.big_endian, values, [](T value) { return to_float(value); });
  };
  const std::size_t size = header.item_size;
  switch (header.kind) {
    case 'b': return with(Bool{});
    case 'i':
      return size == 1   ? with(std::int8_t{})
             : size == 2 ? with(std::int16_t{})
             : size == 4 ? with(std::int32_t{})
                         : with(std::int64_t{});
    case 'u':
      return size == 1   ? with(std::uint8_t{})
             : size == 2 ? with(std::uint16_t{})
             : size == 4 ? with(std::uint32_t{})
                         : with(std::uint64_t{});
    default: break;
  }
  if (size == 2) return with(Half{});
  if (size == 4) return with(float{});
  ToFloat32 narrow;
  convert<double>(bytes, header.big_endian, values, narrow);
  narrow.check_range(name, values.size());
}

/// Reorders values whose first dimension varies fastest so that the last one does.
std::vector<float> from_fortran_order(const std::vector<float>& values,
                                      const std::vector<std::int64_t>& shape) {
  std::vector<float> ordered(values.size());
  std::vector<std::int64_t> index(shape.size(), 0);
  for (float& target : ordered) {
    std::int64_t source = 0;
    for (std::size_t d = shape.size(); d-- > 0;) source = source * shape[d] + index[d];
    target = values[static_cast<std::size_t>(source)];
    for (std::size_t d = shape.size(); d-- > 0 && ++index[d] == shape[d];) index[d] = 0;
  }
  return ordered;
}

std::string type_name(const std::string& dtype) {
  const std::string type = dtype.substr(dtype.empty() ? 0 : 1);
  if (type == "b1") return "bool";
  const char* kind = type.starts_with('i')   ? "int"
                     : type.starts_with('u') ? "uint"
                     : type.starts_with('f') ? "float"
                                             : nullptr;
  if (kind == nullptr || type.size() != 2) return dtype;
  return kind + std::to_string(8 * (type[1] - '0'));
}

template <class T>
constexpr const char* dtype_text() {
  return std::is_same_v<T, float> ? "<f4" : "|u1";
}

}  // namespace

std::int64_t NpyInfo::numel() const {
  std::int64_t product = 1;
  for (std::int64_t extent : shape) product *= extent;
  return product;
}

std::string NpyInfo::str() const {
  return fmt::format("{} [{}]", type_name(dtype), fmt::join(shape, ", "));
}

NpyInfo read_npy_info(const fs::path& path) {
  check_readable(path);
  std::error_code error;
  const std::uint64_t size = fs::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  check(!error && in.good(), "{}: cannot be read; check its permissions", path.string());
  std::string prefix(std::min<std::uint64_t>(size, kMaxNpyHeader), '\0');
  in.read(prefix.data(), static_cast<std::streamsize>(prefix.size()));
  check(in.good(), "{}: cannot be read; check the disk", path.string());
  check_fetched(prefix, path.string());
  return parse_npy_header(prefix, size, path.string()).info;
}

NpyArray decode_npy(std::string_view bytes, const std::string& name) {
  const NpyHeader header = parse_npy_header(bytes.substr(0, kMaxNpyHeader), bytes.size(), name);
  NpyArray array{header.info, std::vector<float>(static_cast<std::size_t>(header.info.numel()))};
  convert(bytes.substr(header.data_offset), header, name, array.values);
  if (header.info.fortran_order && header.info.shape.size() > 1)
    array.values = from_fortran_order(array.values, header.info.shape);
  return array;
}

NpyArray read_npy(const fs::path& path) {
  return with_memory_for(path,
                         [&] { return decode_npy(read_file(path, kMaxNpyFile), path.string()); });
}

bool looks_channels_first(const std::vector<std::int64_t>& shape) {
  return shape.size() == 3 && shape[0] <= kMaxChannelsFirst && shape[1] > kMaxChannelsFirst &&
         shape[2] > kMaxChannelsFirst;
}

std::string channels_first_problem(const std::vector<std::int64_t>& shape) {
  return fmt::format(
      "[{}]: channels first? expected [height, width, channels]; save it again with "
      "numpy.moveaxis(array, 0, -1)",
      fmt::join(shape, ", "));
}

template <class T>
void write_npy(const fs::path& path, const std::vector<std::int64_t>& shape,
               std::span<const T> values, bool flush, IfThere if_there) {
  static_assert(std::endian::native == std::endian::little, "the header says little-endian");
  const NpyInfo info{shape, dtype_text<T>(), false};
  check(info.numel() == static_cast<std::int64_t>(values.size()),
        "{}: the shape {} does not fit {} values", path.string(), info.str(), values.size());
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", info.dtype,
                  fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  // The data starts at a multiple of 64 bytes, and the header's last byte is a line feed.
  header.resize((10 + header.size() + 64) / 64 * 64 - 11, ' ');
  header += '\n';
  const auto length = static_cast<std::uint16_t>(header.size());
  const std::string magic = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(length & 255) +
                            static_cast<char>(length >> 8);
  const std::string_view data(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  const std::string_view parts[] = {magic, header, data};
  write_file_atomically(path, parts, flush, if_there);
}

template void write_npy<float>(const fs::path&, const std::vector<std::int64_t>&,
                               std::span<const float>, bool, IfThere);
template void write_npy<std::uint8_t>(const fs::path&, const std::vector<std::int64_t>&,
                                      std::span<const std::uint8_t>, bool, IfThere);

}  // namespace glia
