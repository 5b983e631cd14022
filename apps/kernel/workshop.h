// A folder for what compilers write, gone with this.
#pragma once

#include <filesystem>
#include <string>

namespace glia {

class Workshop {
 public:
  /// In the system's folder for temporary files. Throws `Error` where none can be made there.
  Workshop();
  ~Workshop();
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  std::filesystem::path path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace glia
