#include "engine/formats/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/formats/tensor_checksums.h"

namespace glia {

static_assert(std::endian::native == std::endian::little, "tensors are stored little-endian");

namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kStart = 200;  // enough to tell other files by
// The format allows 100 MiB; this is 100,000 tensors, and what JSON takes in memory is much more.
constexpr std::uint64_t kMaxHeader = 16 << 20;
constexpr std::size_t kMaxName = 500, kMaxRank = 16;

using Json = nlohmann::json;

/// The length that a file of `size` bytes claims for its header, in the first of its bytes.
std::uint64_t header_length(std::string_view bytes, std::uint64_t size, const std::string& file) {
  std::uint64_t length = 0;
  check(bytes.size() >= kLengthBytes, "{}: found {} bytes, expected a safetensors file", file,
        bytes.size());
  std::memcpy(&length, bytes.data(), kLengthBytes);
  check(length <= kMaxHeader && length <= size - kLengthBytes,
        "{}: the header claims {} bytes, the file has {}; it is truncated or no safetensors file",
        file, length, size - kLengthBytes);
  return length;
}

/// Writers pad the header with blanks, so that the tensors are aligned; the format does not ask for
/// it. Here one is that was not.
void pad_header(std::string& content, std::uint64_t length) {
  const std::uint64_t padded = (length + sizeof(float) - 1) / sizeof(float) * sizeof(float);
  if (padded == length) return;
  content.insert(kLengthBytes + length, padded - length, ' ');
  std::memcpy(content.data(), &padded, kLengthBytes);
}

/// What no header begins like is refused before all of it is read.
void check_start(const std::filesystem::path& path) {
  check_readable(path);
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return;  // a pipe: read_file says what it thinks of it
  std::ifstream in(path, std::ios::binary);
  std::string start(std::min<std::uintmax_t>(size, kStart), '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  check(in.good(), "{}: cannot be read; check its permissions", path.string());
  check_fetched(start, path.string());
  header_length(start, size, path.string());
}

/// Where the data of a tensor end; 0 where its header does not say, for which there is
/// `read_entry`.
std::uint64_t end_of_tensor(const Json& info) {
  if (!info.is_object() || !info.contains("data_offsets")) return 0;
  const Json& offsets = info["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[1].is_number_unsigned()) return 0;
  return offsets[1];
}

/// The values of one tensor, after all that its header claims was checked.
SafeTensors::Entry read_entry(const std::string& name, const Json& info, std::string_view data,
                              const std::string& file) {
  const auto bad = [&](std::string_view what) {
    fail("{}: tensor '{}': {}; the file is damaged or not meant for this program", file,
         name.substr(0, kMaxName), what);
  };
  if (name.size() > kMaxName) bad("a name that long is none");
  if (!info.is_object() || !info.contains("dtype") || !info.contains("shape") ||
      !info.contains("data_offsets"))
    bad("dtype, shape or data_offsets is missing");
  const auto dtype =
      json_field<std::string>(info, "dtype", fmt::format("{}: tensor '{}'", file, name));
  if (dtype != "F32") bad(fmt::format("found the type {}, expected F32", dtype));
  const Json &shape = info["shape"], &offsets = info["data_offsets"];
  const auto is_size = [](const Json& j) { return j.is_number_unsigned(); };
  if (!shape.is_array() || !std::all_of(shape.begin(), shape.end(), is_size) ||
      !offsets.is_array() || offsets.size() != 2 ||
      !std::all_of(offsets.begin(), offsets.end(), is_size))
    bad("shape or data_offsets is not a list of sizes");
  if (shape.size() > kMaxRank) bad(fmt::format("{} dimensions", shape.size()));
  const std::uint64_t begin = offsets[0], end = offsets[1];
  if (begin > end || end > data.size()) bad("its data lie outside the file (truncated?)");
  SafeTensors::Entry entry{.name = name, .shape = {}, .values = {}};
  std::uint64_t bytes = sizeof(float);
  for (const Json& extent : shape) {
    const std::uint64_t n = extent;
    if (n > (std::uint64_t{1} << 62) || __builtin_mul_overflow(bytes, n, &bytes))
      bad("the shape overflows");
    entry.shape.push_back(static_cast<std::int64_t>(n));
  }
  if (bytes != end - begin)
    bad(fmt::format("the shape needs {} bytes, found {}", bytes, end - begin));
  if (begin % sizeof(float) != 0) bad("its data are not aligned");
  entry.values = {reinterpret_cast<const float*>(data.data() + begin), bytes / sizeof(float)};
  return entry;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path,
                       std::span<const SafeTensors::Entry> entries,
                       const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  header["__metadata__"] = metadata;
  header["__metadata__"][kChecksumKey] = tensor_checksums(entries, metadata);
  std::size_t offset = 0;
  std::vector<std::string_view> parts(2);
  for (const SafeTensors::Entry& entry : entries) {
    const std::size_t bytes = entry.values.size_bytes();
    header[entry.name] = {
        {"dtype", "F32"}, {"shape", entry.shape}, {"data_offsets", {offset, offset + bytes}}};
    parts.emplace_back(reinterpret_cast<const char*>(entry.values.data()), bytes);
    offset += bytes;
  }
  std::string text = json_text(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // aligns the tensors
  const std::uint64_t length = text.size();
  parts[0] = {reinterpret_cast<const char*>(&length), kLengthBytes};
  parts[1] = text;
  write_file_atomically(path, parts);
}

SafeTensors read_safetensors(const std::filesystem::path& path, const std::string& ignored) {
  check_start(path);
  return with_memory_for(
      path, [&] { return decode_safetensors(read_file(path), path.string(), ignored); });
}

SafeTensors decode_safetensors(std::string content, const std::string& file,
                               const std::string& ignored) {
  pad_header(content, header_length(content, content.size(), file));
  SafeTensors result{.entries = {}, .metadata = {}, .bytes = std::move(content)};
  std::string_view bytes = result.bytes;
  const std::uint64_t length = header_length(bytes, bytes.size(), file);
  const std::string_view data = bytes.substr(kLengthBytes + length);
  const Json header = parse_json(bytes.substr(kLengthBytes, length), file + ": the header");
  check(header.is_object(), "{}: the header is no JSON object; the file is damaged", file);
  std::uint64_t used = 0;  // bytes up to the end of the last tensor
  for (const auto& [name, info] : header.items()) {
    if (name != "__metadata__") used = std::max(used, end_of_tensor(info));
    if (!ignored.empty() && name.ends_with(ignored)) continue;
    if (name != "__metadata__") {
      result.entries.push_back(read_entry(name, info, data, file));
      continue;
    }
    check(info.is_object(), "{}: __metadata__ is no JSON object", file);
    for (const auto& [key, value] : info.items()) {
      check(value.is_string(), "{}: __metadata__ '{}' is no string", file, key);
      result.metadata[key] = value;
    }
  }
  // JSON sorts by name; the bytes are in the order of whoever wrote them.
  std::vector<SafeTensors::Entry>& entries = result.entries;
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::less<>()(a.values.data(), b.values.data());
  });
  for (std::size_t i = 1; i < entries.size(); ++i)
    check(entries[i - 1].values.data() + entries[i - 1].values.size() <= entries[i].values.data(),
          "{}: the tensors '{}' and '{}' overlap; the file is damaged", file, entries[i - 1].name,
          entries[i].name);
  check(data.size() <= used,
        "{}: {} bytes come after the last tensor, which the format does not allow; save the file "
        "again, or copy it again if it was damaged",
        file, data.size() - used);
  result.checked = check_tensor_checksums(result, ignored, file);
  return result;
}

std::span<const float> SafeTensors::find(const std::string& name,
                                         const std::vector<std::int64_t>& shape,
                                         const std::string& file) const {
  for (const Entry& entry : entries) {
    if (entry.name != name) continue;
    check(entry.shape == shape, "{}: tensor '{}' has the shape [{}], the model expects [{}]", file,
          name, fmt::join(entry.shape, ", "), fmt::join(shape, ", "));
    return entry.values;
  }
  fail("{}: the tensor '{}' is missing; was the file written for another architecture?", file,
       name);
}

}  // namespace glia
