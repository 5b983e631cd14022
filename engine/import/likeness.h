// What all slices of a data set must agree in: size, channels, and the depth of their pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/import/resample.h"

namespace glia {

class Likeness {
 public:
  /// `most`: see Stack.
  void add(Size size, std::int64_t channels, const std::vector<float>& most,
           const std::filesystem::path& file);

  Size size() const;  // of the first
  std::int64_t channels() const;

  /// How they differ and which flags mend it, in one line; empty when they are alike.
  std::string problem() const;

 private:
  struct Example {
    std::int64_t slices = 0;
    std::filesystem::path file;
  };
  std::map<std::pair<std::int64_t, std::int64_t>, Example> sizes_;
  std::map<std::int64_t, Example> channels_;
  std::map<std::vector<float>, Example> depths_;
};

}  // namespace glia
