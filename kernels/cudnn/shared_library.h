// NVIDIA's libraries as files that are looked for when they are needed: a program that was built
// with them starts without them, and no command pays for what it does not use.
#pragma once

#include <string>
#include <vector>

namespace glia::cudnn {

/// A library that stays loaded until the process ends.
class SharedLibrary {
 public:
  /// Loads `file`, such as "libcudnn.so.9": from where the dynamic loader looks, else from
  /// `built_with` (the path that the build found), the toolkit's folders, and those of Python's
  /// packages (nvidia/*/lib). Throws `Error` that names `product` and every folder looked into.
  SharedLibrary(const char* product, const std::string& file, const std::string& built_with);

  /// Throws `Error` where the library lacks it.
  void* symbol(const char* name) const;
  /// The file that was loaded.
  const std::string& path() const { return path_; }

 private:
  std::string product_, path_;
  void* handle_ = nullptr;
};

/// Folders that may hold NVIDIA's libraries, in the order in which they are tried; only those that
/// exist. Toolkits: CUDNN_PATH, CUDA_PATH, CUDA_HOME and /usr/local/cuda. Python: PYTHONPATH, the
/// packages of every python3 on the PATH (an active virtual environment, the system), the user's.
std::vector<std::string> library_folders();

}  // namespace glia::cudnn
