// A folder for what a command writes, which goes again where nothing came to lie in it.
#pragma once

#include <filesystem>
#include <vector>

namespace glia {

class NewFolder {
 public:
  NewFolder() = default;
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  /// Removes what `make` made, as far as it is empty.
  ~NewFolder();

  /// Creates a folder and its parents, unless it is there. Throws `Error` where make_folder does.
  void make(const std::filesystem::path& path);

 private:
  std::vector<std::filesystem::path> made_;  // the outermost first
};

}  // namespace glia
