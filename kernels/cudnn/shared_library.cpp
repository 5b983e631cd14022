#include "kernels/cudnn/shared_library.h"

#include <dlfcn.h>
#include <fmt/ranges.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "engine/base/check.h"
#include "engine/base/search_path.h"

namespace glia::cudnn {

namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::vector<fs::path> subfolders(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code none;  // what is not there or closed holds nothing
  for (fs::directory_iterator it(folder, none), end; !none && it != end; it.increment(none))
    found.push_back(it->path());
  std::sort(found.begin(), found.end());
  return found;
}

/// Those of `prefix`/lib/python*/(site|dist)-packages.
std::vector<fs::path> package_folders(const fs::path& prefix) {
  std::vector<fs::path> found;
  for (const fs::path& python : subfolders(prefix / "lib"))
    if (python.filename().string().starts_with("python"))
      for (const char* packages : {"site-packages", "dist-packages"})
        found.push_back(python / packages);
  return found;
}

/// Of PYTHONPATH, of every python3 on the PATH, and of the user.
std::vector<fs::path> python_folders() {
  std::vector<fs::path> found, prefixes;
  for (const std::string& folder : search_path("PYTHONPATH")) found.emplace_back(folder);
  std::error_code none;
  for (const std::string& folder : search_path("PATH"))
    if (fs::exists(folder + "/python3", none)) prefixes.push_back(fs::path(folder).parent_path());
  if (const std::string home = environment("HOME"); !home.empty())
    prefixes.push_back(fs::path(home) / ".local");
  for (const fs::path& prefix : prefixes)
    for (fs::path& folder : package_folders(prefix)) found.push_back(std::move(folder));
  return found;
}

}  // namespace

std::vector<std::string> library_folders() {
  std::vector<fs::path> all;
  for (const std::string& toolkit : {environment("CUDNN_PATH"), environment("CUDA_PATH"),
                                     environment("CUDA_HOME"), std::string("/usr/local/cuda")})
    if (!toolkit.empty())
      for (const char* lib : {"lib", "lib64"}) all.push_back(fs::path(toolkit) / lib);
  for (const fs::path& packages : python_folders())
    for (const fs::path& package : subfolders(packages / "nvidia")) all.push_back(package / "lib");
  std::vector<std::string> folders;
  std::error_code none;
  for (const fs::path& folder : all)
    if (fs::is_directory(folder, none)) folders.push_back(folder.string());
  return folders;
}

SharedLibrary::SharedLibrary(const char* product, const std::string& file,
                             const std::string& built_with)
    : product_(product) {
  std::vector<std::string> tried{file};
  if (!built_with.empty()) tried.push_back(built_with);
  const std::vector<std::string> folders = library_folders();
  for (const std::string& folder : folders) tried.push_back(folder + "/" + file);
  std::string broken;  // there, and not loadable: more telling than that others are not there
  std::error_code none;
  for (const std::string& name : tried) {
    handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_) break;
    const char* why = dlerror();
    if (broken.empty() && name != file && fs::exists(name, none)) broken = why;
  }
  if (!handle_ && !broken.empty()) fail("{} cannot be loaded: {}", product, broken);
  check(handle_ != nullptr,
        "{} cannot be loaded: {} is neither where the loader looks nor in a folder of CUDA or of "
        "Python's packages ({}); install it, or name its folder in LD_LIBRARY_PATH",
        product, file,
        folders.empty() ? "there are none" : fmt::format("{}", fmt::join(folders, ", ")));
  link_map* map = nullptr;
  path_ = dlinfo(handle_, RTLD_DI_LINKMAP, &map) == 0 ? map->l_name : file;
}

void* SharedLibrary::symbol(const char* name) const {
  void* address = dlsym(handle_, name);
  check(address != nullptr, "{} ({}) has no {}; expected a newer version", product_, path_, name);
  return address;
}

}  // namespace glia::cudnn
