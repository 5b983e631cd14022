// Event files, read back by a reader of the test's own: records, checksums bit by bit, and Protocol
// Buffers' wire format without a schema. TensorBoard's reader: read_events.py.
#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/report/tensorboard.h"
#include "tests/catch.h"
#include "tests/temp_folder.h"

namespace {

namespace fs = std::filesystem;
using glia::EventFile;
using glia::Scalar;

/// Takes bytes from the front.
struct Reader {
  std::string bytes;
  std::size_t at = 0;

  std::string take(std::size_t count) {
    REQUIRE(at + count <= bytes.size());
    at += count;
    return bytes.substr(at - count, count);
  }
  std::uint64_t fixed(std::size_t count) {
    const std::string taken = take(count);
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;)
      value = value * 256 + static_cast<unsigned char>(taken[i]);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const std::uint64_t byte = fixed(1);
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }
  bool done() const { return at == bytes.size(); }
};

/// A message's fields by number; numbers as they are, texts and messages as bytes.
struct Message {
  std::multimap<unsigned, std::uint64_t> numbers;
  std::multimap<unsigned, std::string> texts;

  explicit Message(const std::string& bytes) {
    for (Reader in{bytes}; !in.done();) {
      const std::uint64_t key = in.varint();
      const auto field = static_cast<unsigned>(key / 8);
      switch (key % 8) {
        case 0: numbers.emplace(field, in.varint()); break;
        case 1: numbers.emplace(field, in.fixed(8)); break;
        case 2: texts.emplace(field, in.take(in.varint())); break;
        case 5: numbers.emplace(field, in.fixed(4)); break;
        default: FAIL("wire type " << key % 8);
      }
    }
  }
  std::uint64_t number(unsigned field) const {
    REQUIRE(numbers.count(field) == 1);
    return numbers.find(field)->second;
  }
  std::string text(unsigned field) const {
    REQUIRE(texts.count(field) == 1);
    return texts.find(field)->second;
  }
};

/// CRC-32C by polynomial division, bit by bit, and masked as the record format asks.
std::uint64_t masked(const std::string& data) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : data)
    for (int bit = 0; bit < 8; ++bit) {
      const bool top = ((crc ^ static_cast<unsigned char>(c) >> bit) & 1) != 0;
      crc >>= 1;
      if (top) crc ^= 0x82F63B78;
    }
  crc = ~crc;
  return std::uint32_t(std::rotr(crc, 15) + 0xA282EAD8);
}

std::vector<Message> read_events(const fs::path& path) {
  Reader in{glia::read_file(path)};
  std::vector<Message> events;
  while (!in.done()) {
    const std::string length = in.take(8);
    REQUIRE(in.fixed(4) == masked(length));
    const std::string data = in.take(Reader{length}.fixed(8));
    REQUIRE(in.fixed(4) == masked(data));
    events.emplace_back(data);
  }
  return events;
}

std::vector<fs::path> event_files(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().find("tfevents") != std::string::npos)
      found.push_back(entry.path());
  return found;
}

}  // namespace

TEST_CASE("CRC-32C agrees with the published values", "[report]") {
  CHECK(glia::crc32c("123456789") == 0xE3069283);
  CHECK(glia::crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(glia::crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
  CHECK(glia::crc32c("") == 0);
}

TEST_CASE("an event file holds what was written", "[report]") {
  const glia::TempFolder folder;
  EventFile file(folder.path());
  const std::string long_tag(300, 'x');  // a length of two bytes
  file.write(7, std::vector<Scalar>{{"loss/training", 0.625}, {long_tag, -3}});
  file.write(1'000'000, std::vector<Scalar>{{"a", std::numeric_limits<double>::quiet_NaN()}});
  file.write(-1, std::vector<Scalar>{});

  const auto events = read_events(file.path());
  REQUIRE(events.size() == 5);
  CHECK(events[0].text(3) == "brain.Event:2");
  CHECK(Message(events[1].text(7)).number(1) == 1);  // the session starts
  const double seconds = std::bit_cast<double>(events[2].number(1));
  CHECK(seconds > 1.7e9);
  CHECK(seconds < 1e11);
  CHECK(events[2].number(2) == 7);
  const Message summary(events[2].text(5));
  REQUIRE(summary.texts.count(1) == 2);
  const Message first(summary.texts.begin()->second);
  CHECK(first.text(1) == "loss/training");
  CHECK(std::bit_cast<float>(std::uint32_t(first.number(2))) == 0.625F);
  const Message second(std::next(summary.texts.begin())->second);
  CHECK(second.text(1) == long_tag);
  CHECK(std::bit_cast<float>(std::uint32_t(second.number(2))) == -3.0F);
  CHECK(events[3].number(2) == 1'000'000);
  CHECK(events[4].number(2) == ~std::uint64_t{0});  // -1 in two's complement
}

TEST_CASE("a new event file takes the place of earlier ones, and of nothing else", "[report]") {
  const glia::TempFolder folder;
  std::ofstream(folder.path() / "events.out.tfevents.1.glia") << "old";
  std::ofstream(folder.path() / "events.out.tfevents.1.other") << "not ours";
  const EventFile file(folder.path());
  CHECK(event_files(folder.path()).size() == 2);
  CHECK(fs::exists(folder.path() / "events.out.tfevents.1.other"));
  CHECK(fs::exists(file.path()));
}

TEST_CASE("an event file that cannot be written is named", "[report]") {
  const glia::TempFolder folder;
  std::string message;
  try {
    EventFile file(folder.path() / "missing");
  } catch (const glia::Error& error) {
    message = error.what();
  }
  CHECK(message.find("missing/events.out.tfevents.") != std::string::npos);
  CHECK(message.find("cannot write") != std::string::npos);
}
