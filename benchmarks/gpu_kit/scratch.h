// A folder for files of the moment, away from the results: those that are carried home are few.
#pragma once

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

#include "engine/base/check.h"

namespace glia::kit {

/// Removed with everything in it at the end. Throws `Error` where it cannot be made.
class Scratch {
 public:
  Scratch() {
    std::error_code none;
    const std::filesystem::path temporary = std::filesystem::temp_directory_path(none);
    std::string name = (temporary / "gpu-kit-XXXXXX").string();
    check(!temporary.empty() && ::mkdtemp(name.data()) != nullptr,
          "cannot make a folder for temporary files: {}; set TMPDIR to a folder that can be "
          "written to",
          temporary.empty() ? "there is no place for them" : std::strerror(errno));
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace glia::kit
