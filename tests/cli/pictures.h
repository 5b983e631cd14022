// A folder of pictures, and what commands make beside it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/data/slices.h"
#include "tests/formats/encode.h"
#include "tests/temp_folder.h"

namespace glia {

class Pictures {
 public:
  explicit Pictures(int pairs = 0) {
    for (int i = 0; i < pairs; ++i)
      add_pair("p" + std::to_string(i / 4) + "/s" + std::to_string(i), i);
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  void add(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((folder_.path() / "data" / name).parent_path());
    write_bytes(folder_.path() / "data" / name, bytes);
  }
  void add_pair(const std::string& name, int shade) const {
    std::vector<std::uint16_t> pixels, mask;
    for (int i = 0; i < 16 * 16; ++i) {
      pixels.push_back(static_cast<std::uint16_t>((i * 7 + shade * 13) % 256));
      mask.push_back(i % 16 < 4 && i < 64 ? 255 : 0);
    }
    add(name + ".png", png_file({.height = 16, .width = 16}, pixels));
    add(name + "_mask.png", png_file({.height = 16, .width = 16}, mask));
  }
  std::vector<std::string> import(const std::string& out = "out") const {
    return {"import", "--data", path("data"), "--out", path(out)};
  }
  /// The names in the folder beside the data.
  std::vector<std::string> beside() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      if (entry.path().filename() != "data") names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  TempFolder folder_;
};

}  // namespace glia
