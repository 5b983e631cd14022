#include "engine/base/walk.h"

#include "engine/base/check.h"

namespace glia {

namespace fs = std::filesystem;

void walk_files(const fs::path& folder, const std::function<void(const fs::path&)>& file,
                const std::function<void(const fs::path&)>& linked_folder) {
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error), end;
  while (!error && entry != end) {
    const fs::path& path = entry->path();
    std::error_code ignored;
    const bool is_folder = entry->is_directory(ignored);
    if (path.filename().string().starts_with('.')) {
      entry.disable_recursion_pending();
    } else if (!is_folder) {
      file(path);
    } else if (entry->is_symlink(ignored)) {
      linked_folder(path);
    }
    entry.increment(error);
  }
  check(!error, "{}: cannot be read: {}; check its permissions", folder.string(), error.message());
}

std::string linked_folder_problem(std::string_view flag) {
  return fmt::format("a link to a folder is not followed; pass its target as {}", flag);
}

}  // namespace glia
