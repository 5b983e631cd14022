// The profile: bank conflicts and sectors a source line.
#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "kernels/emu/emu.h"
#include "tests/catch.h"
#include "tests/emu/device_buffer.h"
#include "tests/emu/example_runs.h"

namespace glia::emu_test {
namespace {

/// ratio of `counted` at the line with most of it, in the profile table.
double worst_ratio(const std::string& table, const std::string& file, const std::string& counted) {
  std::istringstream lines(table);
  double worst = 0;
  for (std::string line; std::getline(lines, line);)
    if (line.find(file) != std::string::npos && line.find(counted) != std::string::npos)
      worst = std::max(worst, std::stod(line.substr(line.rfind(' '))));
  return worst;
}

}  // namespace

TEST_CASE("the profile finds bank conflicts and wasted sectors", "[emu]") {
  if (!emu::race_checker()) {
    WARN("skipped: this build has no race checker");
    return;
  }
  const auto profile = [](double (*run)(Bug)) {
    emu::options() = {.profile = true};
    emu::clear_profile();
    CHECK(run(Bug::none) <= 1);
    emu::options() = {};
    return emu::profile_table();
  };
  // Rows of 128 bytes put the eight rows of an ldmatrix into the same banks; padding parts them.
  CHECK(worst_ratio(profile(run_gemm_bf16), "gemm_bf16.cu", "shared wavefronts") <= 2);
  CHECK(worst_ratio(profile(run_gemm_bf16_unpadded), "gemm_bf16.cu", "shared wavefronts") == 8);
  // What tensor cores' operands are copied to and read from is permuted so that none meet.
  for (double (*run)(Bug) :
       {run_mma_rows_rows, run_mma_rows_depths, run_mma_depths_depths, run_mma_bf16_rows_rows,
        run_mma_bf16_rows_depths, run_mma_bf16_depths_depths, run_mma_bf16_rows_by_element,
        run_mma_bf16_depths_by_element}) {
    const std::string table = profile(run);
    CHECK(worst_ratio(table, "mma_fragments.h", "shared wavefronts") == 1);
    CHECK(worst_ratio(table, "gemm_operands.h", "shared wavefronts") == 1);
  }
  for (double (*run)(Bug) : {run_halo, run_halo_by_depth, run_halo_tf32, run_halo_tf32_by_depth}) {
    const std::string halo = profile(run);
    for (const char* file : {"conv_halo.h", "mma_fragments.h", "gemm_operands.h"})
      CHECK(worst_ratio(halo, file, "shared wavefronts") == 1);
  }
  // Weights are stored once, nine taps a column: two lanes may find one bank.
  CHECK(worst_ratio(profile(run_shallow), "conv_shallow.h", "shared wavefronts") < 2);
  CHECK(worst_ratio(profile(run_tile_moments), "gemm_moments.h", "shared wavefronts") == 1);
  const std::string halo_wgrad = profile(run_halo_wgrad);
  for (const char* file : {"conv_wgrad_halo.h", "mma_fragments.h", "gemm_operands.h"})
    CHECK(worst_ratio(halo_wgrad, file, "shared wavefronts") == 1);
  // A lane a row of five floats: each load touches five times the sectors of a dense one, less what
  // neighbours share.
  const double sectors = worst_ratio(profile(run_batch_stats), "batch_stats.cu", "32-byte sectors");
  CHECK(sectors > 4);
  CHECK(sectors <= 8);
}

TEST_CASE("the profile counts 16 bytes as one access, filled with zeros or not", "[emu]") {
  if (!emu::race_checker()) {
    WARN("skipped: this build has no race checker");
    return;
  }
  std::vector<float> x(256);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  for (const int valid : {0, 1, 40, 64}) {
    emu::options() = {.profile = true};
    emu::clear_profile();
    const DeviceBuffer<float> dx(x), dy(x.size());
    wide_copies(dx.get(), dy.get(), valid);
    const std::vector<float> y = dy.read();
    const std::string table = emu::profile_table();
    emu::options() = {};
    for (std::size_t i = 0; i < y.size(); ++i) {
      const std::size_t row = i / 4 ^ 1, from = 4 * row + 3 - i % 4;
      const bool inside = static_cast<int>(row) < valid && row % 32 % 3 != 0;
      CHECK(y[i] == (inside ? x[from] : 0.0f));
    }
    INFO(table);
    CHECK(worst_ratio(table, "tensor_ops.cu", "shared wavefronts") == 1);
#if defined(__GNUC__) && !defined(__clang__)
    // Two instructions a line of the kernel: clang's copies of structs are not seen.
    std::istringstream lines(table);
    for (std::string line; std::getline(lines, line);)
      if (line.find("shared wavefronts") != std::string::npos) {
        std::istringstream fields(line.substr(line.find("wavefronts") + 10));
        int instructions = 0, count = 0;
        fields >> instructions >> count;
        CHECK(instructions == 2);
        CHECK(count == 8);  // 512 bytes an instruction, 128 a pass
      }
#endif
  }
}

}  // namespace glia::emu_test
