// Plugins that were compiled for another Glia: their entry points say so.
#include "kernels/api/plugin.h"

#if defined(GLIA_TEST_CONTRACT)
constexpr std::uint32_t kVersion = glia::kPluginVersion;
constexpr std::uint64_t kTheirContract = glia::kContract + 1;
#else
constexpr std::uint32_t kVersion = glia::kPluginVersion + 1;
constexpr std::uint64_t kTheirContract = glia::kContract;
#endif

extern "C" const glia::GliaPlugin* glia_plugin() {
  static const glia::GliaPlugin plugin = {kVersion, kTheirContract, "old", "cpu",
                                          [](glia::KernelTable&) {}};
  return &plugin;
}
