// Prints, for an example kernel, bank conflicts and sectors a source line, as the race checker's
// hooks count them.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <string>

#include "kernels/emu/emu.h"
#include "tests/emu/example_runs.h"

int main(int argc, char** argv) {
  using namespace glia::emu_test;
  const std::map<std::string, double (*)(Bug)> kernels = {
      {"batch-stats", run_batch_stats},
      {"confusion", run_confusion},
      {"conv3x3", run_conv3x3},
      {"gemm-bf16", run_gemm_bf16},
      {"gemm-bf16-unpadded", run_gemm_bf16_unpadded},
      {"patches", run_halo},
      {"patches-shallow", run_shallow},
      {"patches-wgrad", run_halo_wgrad},
      {"row-sums-ring", run_row_sums_ring}};
  CLI::App app{
      "Runs an example kernel in the CUDA emulator and counts shared-memory wavefronts and 32-byte "
      "sectors a source line, beside the fewest that would do.\n"
      "Example: emu-profile --kernel gemm-bf16-unpadded"};
  std::string kernel = "gemm-bf16-unpadded";
  std::vector<std::string> names;
  for (const auto& [name, run] : kernels) names.push_back(name);
  app.add_option("--kernel", kernel, "Which example")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  glia::emu::options().profile = true;
  try {
    kernels.at(kernel)(Bug::none);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "emu-profile: %s\n", error.what());
    return 1;
  }
  std::fputs(glia::emu::profile_table().c_str(), stdout);
  return 0;
}
