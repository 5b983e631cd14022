// Notices images whose values lie between 0 and 1 beside others that go to 255 or further: the same
// pictures, divided by their white or not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace glia {

class ValueScales {
 public:
  void add(std::span<const float> image, const std::filesystem::path& file);

  /// How many of which there are, with an example each; empty when they are alike.
  std::string problem() const;

 private:
  struct Group {
    std::int64_t images = 0;
    std::filesystem::path first;
  };
  Group fractions_, large_;
  float highest_ = 0;
};

}  // namespace glia
