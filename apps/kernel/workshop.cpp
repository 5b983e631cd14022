#include "apps/kernel/workshop.h"

#include <cstdlib>

#include "engine/base/check.h"

namespace glia {

namespace fs = std::filesystem;

Workshop::Workshop() : path_((fs::temp_directory_path() / "glia-kernel-XXXXXX").string()) {
  check(::mkdtemp(path_.data()) != nullptr, "cannot make a folder in {} to compile a kernel in",
        fs::temp_directory_path().string());
}

Workshop::~Workshop() {
  std::error_code none;
  fs::remove_all(path_, none);
}

}  // namespace glia
