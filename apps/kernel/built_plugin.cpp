#include "apps/kernel/built_plugin.h"

#include <fmt/format.h>

#include "apps/kernel/compile_kernel.h"
#include "engine/base/check.h"
#include "engine/runtime/gpu_backends.h"
#include "engine/runtime/open_device.h"

namespace glia {

BuiltPlugin::BuiltPlugin(const std::string& file, const KernelInfo& kernel, bool emulated) {
  check(std::filesystem::is_regular_file(file), "--plugin {}: there is no such file", file);
  emulated ? check_can_compile() : check_has_sources();
  const KernelSource source{file, kernel, workshop_.path()};
  write_wrapper(source);
  const Compiled compiled =
      emulated ? compile_kernel(source, false) : compile_for_gpu(source, kNativeArchitecture);
  check(!compiled.library.empty(), "{}",
        compiled.problem.substr(0, compiled.problem.find_last_not_of('\n') + 1));
  library_ = compiled.library.string();
}

void check_has_gpu(const std::string& file, const std::string& as, const std::string& device) {
  const std::string instead = fmt::format(
      "glia kernel {} --as {} judges it without a GPU, and --backend emu runs it on the emulator, "
      "whose times mean nothing",
      file, as);
  check(device.starts_with("cuda") || device == "auto",
        "--plugin {}: a kernel in CUDA is timed on a GPU, and --device is {}; {}", file, device,
        instead);
  check(find_gpu_backend("cuda") != nullptr,
        "--plugin {}: this glia was built without CUDA and can time nothing on a GPU; {}", file,
        instead);
  try {
    open_device({.device = device == "auto" ? "cuda" : device}, [](const std::string&) {});
  } catch (const Error& error) {
    fail("--plugin {}: found no GPU to time it on ({}); {}", file, error.what(), instead);
  }
}

}  // namespace glia
