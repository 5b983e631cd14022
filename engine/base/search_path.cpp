#include "engine/base/search_path.h"

#include <cstdlib>
#include <sstream>

namespace glia {

std::vector<std::string> search_path(const char* variable) {
  const char* value = std::getenv(variable);
  std::istringstream list(value ? value : "");
  std::vector<std::string> folders;
  for (std::string folder; std::getline(list, folder, ':');)
    if (!folder.empty()) folders.push_back(folder);
  return folders;
}

}  // namespace glia
