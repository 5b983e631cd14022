// A folder of image files to import, and what became of them.
#pragma once

#include <numeric>

#include "engine/base/file.h"
#include "engine/data/dataset.h"
#include "engine/import/import.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/formats/encode.h"
#include "tests/temp_folder.h"

namespace glia {

class Workshop {
 public:
  Workshop() { config_.names = {".", ".", {""}, "_mask"}; }

  void add(const std::string& name, const std::string& bytes) const {
    const std::filesystem::path path = data() / name;
    std::filesystem::create_directories(path.parent_path());
    write_bytes(path, bytes);
  }
  /// A grey picture whose values follow from `first`, and a mask of `values`.
  void add_pair(const std::string& name, int first, const std::vector<std::uint16_t>& values,
                int width = 2, int bits = 8) const {
    std::vector<std::uint16_t> pixels(values.size());
    std::iota(pixels.begin(), pixels.end(), static_cast<std::uint16_t>(first));
    const int height = static_cast<int>(values.size()) / width;
    add(name + ".png", png_file({.height = height, .width = width, .bits = bits}, pixels));
    add(name + "_mask.png", png_file({.height = height, .width = width}, values));
  }
  ImportSummary run() {
    config_.data = data();
    config_.out = out();
    return import_data(config_, [](std::int64_t, std::int64_t) {});
  }
  /// The message of a refusal, after which nothing may be left.
  std::string refusal() {
    const std::string message = error_of([&] { run(); });
    CHECK(!std::filesystem::exists(out()));
    CHECK(std::distance(std::filesystem::directory_iterator(folder_.path()), {}) == 1);
    return message;
  }
  std::string table() const { return read_file(out() / kSliceTable); }
  Slice slice(const std::string& id) const {
    return load_slice({id, out() / (id + "_img.npy"), out() / (id + "_seg.npy")});
  }
  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::filesystem::path out() const { return folder_.path() / "out"; }
  ImportConfig& config() { return config_; }

 private:
  TempFolder folder_;
  ImportConfig config_;
};

}  // namespace glia
