#include "engine/base/new_folder.h"

#include <system_error>

#include "engine/base/file.h"

namespace glia {

NewFolder::~NewFolder() {
  std::error_code ignored;
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder)
    std::filesystem::remove(*folder, ignored);  // only when it is empty
}

void NewFolder::make(const std::filesystem::path& path) {
  for (std::filesystem::path& folder : make_folder(path)) made_.push_back(std::move(folder));
}

}  // namespace glia
