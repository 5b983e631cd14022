#include "engine/report/tensorboard.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/wire.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.", kSuffix = ".glia";

template <class Unsigned>
std::string little_endian(Unsigned value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i)
    bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

// Field numbers of TensorFlow's event.proto and summary.proto.
namespace event {
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
}
namespace summary {
constexpr int kValue = 1, kTag = 1, kSimpleValue = 2;
}
namespace session_log {
constexpr int kStatus = 1, kStart = 1;
}

/// An event that has its time and step.
wire::Message event_at(std::int64_t step) {
  wire::Message message;
  message.real(
      event::kWallTime,
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
  message.integer(event::kStep, step);
  return message;
}

std::uint32_t masked_crc(std::string_view data) {
  const std::uint32_t crc = crc32c(data);
  return (crc >> 15 | crc << 17) + 0xA282EAD8U;
}

}  // namespace

std::uint32_t crc32c(std::string_view data) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> rows{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t row = i;
      for (int bit = 0; bit < 8; ++bit) row = row >> 1 ^ (row & 1 ? 0x82F63B78U : 0U);
      rows[i] = row;
    }
    return rows;
  }();
  std::uint32_t crc = ~0U;
  for (const char c : data) crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~crc;
}

std::string tfrecord(std::string_view data) {
  const std::string length = little_endian(std::uint64_t{data.size()});
  return length + little_endian(masked_crc(length)) + std::string(data) +
         little_endian(masked_crc(data));
}

EventFile::EventFile(const fs::path& folder) {
  std::vector<fs::path> earlier;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && name.ends_with(kSuffix)) earlier.push_back(entry.path());
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  path_ = folder / fmt::format("{}{}{}", kPrefix, seconds.count(), kSuffix);
  for (const fs::path& file : earlier) fs::remove(file, error);
  out_.open(path_, std::ios::binary | std::ios::trunc);
  wire::Message version = event_at(0);
  version.text(event::kFileVersion, "brain.Event:2");
  append(version.bytes());
  wire::Message start;
  start.integer(session_log::kStatus, session_log::kStart);
  wire::Message session = event_at(0);
  session.message(event::kSessionLog, start);
  append(session.bytes());
}

void EventFile::write(std::int64_t step, std::span<const Scalar> scalars) {
  wire::Message values;
  for (const Scalar& scalar : scalars) {
    wire::Message value;
    value.text(summary::kTag, scalar.tag);
    value.real(summary::kSimpleValue, static_cast<float>(scalar.value));
    values.message(summary::kValue, value);
  }
  wire::Message event = event_at(step);
  event.message(event::kSummary, values);
  append(event.bytes());
}

void EventFile::append(std::string_view event) {
  out_ << tfrecord(event) << std::flush;
  check(out_.good(), "{}: cannot write; free space, or train without --tensorboard",
        path_.string());
}

}  // namespace glia
