// Where NVIDIA's libraries are looked for, and what is said where they are not.
#if defined(GLIA_HAS_CUDNN)
#include "kernels/cudnn/shared_library.h"

#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>

#include "tests/catch.h"
#include "tests/temp_folder.h"

namespace glia::test {

namespace {

/// Environment variables for one test.
class Environment {
 public:
  ~Environment() {
    for (const auto& [name, value] : before_)
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }
  void set(const std::string& name, const std::string& value) {
    const char* old = ::getenv(name.c_str());
    before_.emplace(name, old ? std::optional<std::string>(old) : std::nullopt);
    ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

bool has(const std::vector<std::string>& folders, const std::filesystem::path& folder) {
  return std::find(folders.begin(), folders.end(), folder.string()) != folders.end();
}

}  // namespace

TEST_CASE("vendor libraries: folders of toolkits and of every Python are looked into", "[cuda]") {
  namespace fs = std::filesystem;
  const TempFolder temp;
  const fs::path venv = temp.path() / "venv", packages = venv / "lib/python3.12/site-packages";
  fs::create_directories(packages / "nvidia/cudnn/lib");
  fs::create_directories(packages / "nvidia/cu13/lib");
  fs::create_directories(temp.path() / "toolkit/lib64");
  fs::create_directories(venv / "bin");
  std::ofstream(venv / "bin/python3") << "#!\n";
  Environment environment;
  environment.set("PATH", "/nowhere:" + (venv / "bin").string());
  environment.set("CUDA_PATH", (temp.path() / "toolkit").string());
  const auto folders = cudnn::library_folders();
  CHECK(has(folders, packages / "nvidia/cudnn/lib"));
  CHECK(has(folders, packages / "nvidia/cu13/lib"));
  CHECK(has(folders, temp.path() / "toolkit/lib64"));
  CHECK_FALSE(has(folders, temp.path() / "toolkit/lib"));  // not there
}

TEST_CASE("vendor libraries: what is missing, damaged or too old is said", "[cuda]") {
  namespace fs = std::filesystem;
  const TempFolder temp;
  fs::create_directories(temp.path() / "lib");
  std::ofstream(temp.path() / "lib/libdamaged.so.1") << "no library";
  Environment environment;
  environment.set("CUDA_PATH", temp.path().string());
  CHECK_THROWS_WITH(cudnn::SharedLibrary("NVfoo", "libnvfoo.so.7", ""),
                    ContainsSubstring("NVfoo cannot be loaded: libnvfoo.so.7 is neither where") &&
                        ContainsSubstring((temp.path() / "lib").string()) &&
                        ContainsSubstring("LD_LIBRARY_PATH"));
  CHECK_THROWS_WITH(
      cudnn::SharedLibrary("NVfoo", "libdamaged.so.1", ""),
      ContainsSubstring("NVfoo cannot be loaded: ") && ContainsSubstring("lib/libdamaged.so.1"));
  const cudnn::SharedLibrary c("the C library", "libc.so.6", "");
  CHECK(c.symbol("malloc") != nullptr);
  CHECK(c.path().find("libc.so.6") != std::string::npos);
  CHECK_THROWS_WITH(c.symbol("cudnnCreate"), ContainsSubstring("has no cudnnCreate"));
}

}  // namespace glia::test
#endif
