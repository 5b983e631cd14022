#include "engine/formats/safetensors.h"

#include <cstring>

#include "engine/base/file.h"
#include "engine/base/rng.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

const std::vector<float> kStored = {1, -2, 3.5f, 4, 5, 6};

std::filesystem::path write_sample(const TempFolder& folder) {
  const auto path = folder.path() / "a.safetensors";
  const std::vector<SafeTensors::Entry> entries = {
      {.name = "w", .shape = {2, 2}, .values = std::span(kStored).first(4)},
      {.name = "b", .shape = {2}, .values = std::span(kStored).last(2)}};
  write_safetensors(path, entries, {{"key", "value"}});
  return path;
}

/// A file with `header` and `data` bytes of zeros.
std::string file_of(const std::string& header, std::size_t data) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data, '\0');
}

}  // namespace

TEST_CASE("safetensors: what was written is read", "[safetensors]") {
  const TempFolder folder;
  const SafeTensors file = read_safetensors(write_sample(folder));
  REQUIRE(file.entries.size() == 2);
  CHECK(file.metadata.at("key") == "value");
  const auto w = file.find("w", {2, 2}, "a");
  CHECK(std::vector<float>(w.begin(), w.end()) == std::vector<float>{1, -2, 3.5f, 4});
  CHECK(error_of([&] { file.find("w", {4}, "a"); }) ==
        "a: tensor 'w' has the shape [2, 2], the model expects [4]");
  CHECK(error_of([&] { file.find("x", {4}, "a"); }) ==
        "a: the tensor 'x' is missing; was the file written for another architecture?");
}

TEST_CASE("safetensors: hostile headers are refused", "[safetensors]") {
  const TempFolder folder;
  const auto path = folder.path() / "bad.safetensors";
  const auto [header, text] = GENERATE(table<std::string, std::string>({
      {R"(not json)", "no valid JSON"},
      {R"([1, 2] )", "no JSON object"},
      {R"({"w":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}  )", "outside the file"},
      {R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}   )", "needs 8 bytes, found 4"},
      {R"({"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}   )", "expected F32"},
      {R"({"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}  )", "not a list of sizes"},
      {R"({"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}  )",
       "overflows"},
      {R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}   )", "outside the file"},
      {R"({"w":{"dtype":"F32","shape":[1]}})", "is missing"},
      {R"({"__metadata__":{"a":1}})", "is no string"},
      {R"({"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} )",
       "overlap"},
  }));
  write_bytes(path, file_of(header + std::string((8 - header.size() % 8) % 8, ' '), 16));
  const std::string message = error_of([&] { read_safetensors(path); });
  CAPTURE(header, message);
  CHECK(message.find(text) != std::string::npos);
  CHECK(message.find(path.string()) == 0);
}

TEST_CASE("safetensors: a header of any length is read", "[safetensors]") {
  const TempFolder folder;
  const auto path = write_sample(folder);
  const std::string bytes = read_file(path);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  const std::string header = bytes.substr(8, length), data = bytes.substr(8 + length);
  const std::string bare = header.substr(0, header.find_last_not_of(' ') + 1);
  for (std::size_t blanks = 0; blanks < 8; ++blanks) {
    CAPTURE(blanks);
    std::string file = file_of(bare + std::string(blanks, ' '), 0) + data;
    const SafeTensors read = decode_safetensors(std::move(file), "a", "");
    const auto b = read.find("b", {2}, "a");
    CHECK(std::vector<float>(b.begin(), b.end()) == std::vector<float>{5, 6});
  }
}

TEST_CASE("safetensors: bytes after the last tensor are refused", "[safetensors]") {
  const TempFolder folder;
  const auto path = write_sample(folder);
  const std::string good = read_file(path);
  for (const std::size_t more : {1, 4, 100}) {
    write_bytes(path, good + std::string(more, '\0'));
    CHECK(error_of([&] {
            read_safetensors(path);
          }).find(std::to_string(more) + " bytes come after the last tensor") != std::string::npos);
  }
  // Tensors that are not read have bytes, too.
  const std::string header =
      R"({"n":{"dtype":"I64","shape":[1],"data_offsets":[4,12]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} )";
  write_bytes(path, file_of(header + std::string((8 - header.size() % 8) % 8, ' '), 12));
  CHECK(read_safetensors(path, "n").entries.size() == 1);
  write_bytes(path, good);
  CHECK(read_safetensors(path).entries.size() == 2);
}

TEST_CASE("safetensors: a header that claims more than the file has", "[safetensors]") {
  const TempFolder folder;
  const auto path = folder.path() / "bad.safetensors";
  write_bytes(path, std::string(7, 'x'));
  CHECK(error_of([&] { read_safetensors(path); }).find("found 7 bytes") != std::string::npos);
  write_bytes(path, std::string(64, '\xFF'));
  CHECK(error_of([&] { read_safetensors(path); }).find("truncated") != std::string::npos);
}

TEST_CASE("safetensors: mutated and truncated files only ever give an error", "[safetensors]") {
  const TempFolder folder;
  const std::string good = read_file(write_sample(folder));
  const auto path = folder.path() / "fuzz.safetensors";
  Sequence random(1, 2);
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = good;
    for (std::uint64_t k = random.below(4); k-- > 0;)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    if (random.chance(0.5)) bytes.resize(random.below(bytes.size()));
    write_bytes(path, bytes);
    refused += !error_of([&] { read_safetensors(path); }).empty();
  }
  CHECK(refused > 900);
  CHECK(refused < 2000);
}
