// Every planted bug must be found, under every schedule; correct kernels must raise no alarm.
#include <cstdio>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "kernels/emu/emu.h"
#include "kernels/emu/launch_bounds.h"
#include "tests/catch.h"
#include "tests/emu/example_runs.h"

#if defined(__SANITIZE_ADDRESS__)
// The emulator makes an error of what AddressSanitizer finds in a kernel; the program goes on, and
// finds it again in the next run.
extern "C" const char* __asan_default_options() {
  return "halt_on_error=0:suppress_equal_pcs=0:symbolize=0";
}
#endif

namespace glia::emu_test {
namespace {

struct Planted {
  const char* name;
  Bug bug;
  double (*run)(Bug);
  // How the plain build, without any instrumentation, fares: it finds a bug by its symptoms.
  enum { always, by_luck } plain;
};

const Planted kPlanted[] = {
    {"no barrier after a write to shared memory", Bug::no_barrier_after_write, run_batch_stats,
     Planted::by_luck},
    {"no barrier before shared memory is reused", Bug::no_barrier_before_reuse, run_batch_stats,
     Planted::by_luck},
    {"barrier in a branch", Bug::divergent_barrier, run_batch_stats, Planted::always},
    {"return before a barrier", Bug::early_return, run_batch_stats, Planted::always},
    {"shuffle in a branch", Bug::divergent_shuffle, run_batch_stats, Planted::always},
    {"shuffle mask without the caller", Bug::mask_without_lane, run_batch_stats, Planted::always},
    {"uninitialised shared memory read", Bug::uninitialised_partial, run_batch_stats,
     Planted::always},
    {"row index off by one", Bug::rows_off_by_one, run_batch_stats, Planted::always},
    {"no atomic on shared counters", Bug::no_shared_atomic, run_confusion, Planted::by_luck},
    {"no atomic on device counters", Bug::no_device_atomic, run_confusion, Planted::by_luck},
    {"counters not cleared", Bug::counters_not_cleared, run_confusion, Planted::always},
    {"no __syncwarp", Bug::no_syncwarp, run_confusion, Planted::by_luck},
    {"conv: no barrier after the tile's load", Bug::conv_no_barrier_after_load, run_conv3x3,
     Planted::by_luck},
    {"conv: no barrier before the next load", Bug::conv_no_barrier_before_reload, run_conv3x3,
     Planted::by_luck},
    {"conv: halo not loaded", Bug::halo_not_loaded, run_conv3x3, Planted::always},
    {"conv: tile row off by one", Bug::tile_off_by_one, run_conv3x3, Planted::always},
    {"conv: shared array overrun", Bug::shared_out_of_bounds, run_conv3x3, Planted::by_luck},
    {"conv: image border not checked", Bug::image_not_bounded, run_conv3x3, Planted::by_luck},
    {"gemm: no cp.async wait", Bug::no_wait, run_gemm_bf16, Planted::always},
    {"gemm: cp.async wait one group short", Bug::weak_wait, run_gemm_bf16, Planted::always},
    {"gemm: no barrier after the wait", Bug::no_barrier_after_wait, run_gemm_bf16,
     Planted::by_luck},
    {"gemm: no barrier before the refill", Bug::no_barrier_before_refill, run_gemm_bf16,
     Planted::by_luck},
    {"gemm: ldmatrix without .trans", Bug::not_transposed, run_gemm_bf16, Planted::always},
    {"gemm: registers of a fragment swapped", Bug::wrong_fragment, run_gemm_bf16, Planted::always},
    {"gemm: a lane skips an mma", Bug::divergent_mma, run_gemm_bf16, Planted::always},
    {"gemm: columns not checked", Bug::gemm_columns_not_bounded, run_gemm_bf16, Planted::always},
    {"mma: cp.async wait one group short", Bug::mma_weak_wait, run_mma_rows_rows, Planted::always},
    {"mma: rows permuted on the reading side alone", Bug::mma_unpermuted_rows, run_mma_rows_rows,
     Planted::always},
    {"mma: depths permuted on the reading side alone", Bug::mma_unpermuted_depths,
     run_mma_rows_depths, Planted::always},
    {"mma: results stored as another fragment's", Bug::mma_wrong_owner, run_mma_rows_rows,
     Planted::always},
    {"mma: rows not checked", Bug::mma_rows_not_bounded, run_mma_rows_rows, Planted::always},
    {"mma: depth not checked", Bug::mma_depth_not_bounded, run_mma_rows_depths, Planted::always},
    {"mma bf16: cp.async wait one group short", Bug::mma_weak_wait, run_mma_bf16_rows_rows,
     Planted::always},
    {"mma bf16: rows permuted on the reading side alone", Bug::mma_unpermuted_rows,
     run_mma_bf16_rows_rows, Planted::always},
    {"mma bf16: depths permuted on the reading side alone", Bug::mma_unpermuted_depths,
     run_mma_bf16_rows_depths, Planted::always},
    {"mma bf16: ldmatrix without .trans", Bug::mma_not_transposed, run_mma_bf16_rows_depths,
     Planted::always},
    {"mma bf16: results stored as another fragment's", Bug::mma_wrong_owner, run_mma_bf16_rows_rows,
     Planted::always},
    {"mma bf16: rows not checked", Bug::mma_rows_not_bounded, run_mma_bf16_rows_rows,
     Planted::always},
    {"mma bf16: depth not checked", Bug::mma_depth_not_bounded, run_mma_bf16_rows_depths,
     Planted::always},
    {"mma bf16: a sum rounded before it is added to", Bug::mma_rounded_partials,
     run_mma_bf16_rows_rows, Planted::always},
    {"halo: cp.async wait one group short", Bug::halo_weak_wait, run_halo, Planted::always},
    {"halo: pixels permuted on the reading side alone", Bug::halo_unpermuted, run_halo,
     Planted::always},
    {"halo: the next patch over the one that is read", Bug::halo_patch_overwritten, run_halo,
     Planted::always},
    {"halo: image border not checked", Bug::halo_border_not_checked, run_halo, Planted::always},
    {"halo: a split begins with the first chunk's weights", Bug::halo_first_chunk, run_halo,
     Planted::always},
    {"halo mapped: before the copies have arrived", Bug::halo_mapped_early, run_halo_mapped,
     Planted::always},
    {"halo mapped: what lies outside the image too", Bug::halo_mapped_padding, run_halo_mapped,
     Planted::always},
    {"halo mapped: by the map of other channels", Bug::halo_mapped_by_another, run_halo_mapped,
     Planted::always},
    {"halo by depth: cp.async wait one group short", Bug::halo_weak_wait, run_halo_by_depth,
     Planted::always},
    {"halo by depth: pixels permuted on the reading side alone", Bug::halo_unpermuted,
     run_halo_by_depth, Planted::always},
    {"halo by depth: the next patch over the one that is read", Bug::halo_patch_overwritten,
     run_halo_by_depth, Planted::always},
    {"halo by depth: image border not checked", Bug::halo_border_not_checked, run_halo_by_depth,
     Planted::always},
    {"halo by depth: a split begins with the first chunk's weights", Bug::halo_first_chunk,
     run_halo_by_depth, Planted::always},
    {"halo tf32: cp.async wait one group short", Bug::halo_weak_wait, run_halo_tf32,
     Planted::always},
    {"halo tf32: pixels permuted on the reading side alone", Bug::halo_unpermuted, run_halo_tf32,
     Planted::always},
    {"halo tf32: the next patch over the one that is read", Bug::halo_patch_overwritten,
     run_halo_tf32, Planted::always},
    {"halo tf32: image border not checked", Bug::halo_border_not_checked, run_halo_tf32,
     Planted::always},
    {"halo tf32: a split begins with the first chunk's weights", Bug::halo_first_chunk,
     run_halo_tf32, Planted::always},
    {"halo tf32 by depth: cp.async wait one group short", Bug::halo_weak_wait,
     run_halo_tf32_by_depth, Planted::always},
    {"halo tf32 by depth: pixels permuted on the reading side alone", Bug::halo_unpermuted,
     run_halo_tf32_by_depth, Planted::always},
    {"halo tf32 by depth: the next patch over the one that is read", Bug::halo_patch_overwritten,
     run_halo_tf32_by_depth, Planted::always},
    {"halo tf32 by depth: image border not checked", Bug::halo_border_not_checked,
     run_halo_tf32_by_depth, Planted::always},
    {"halo tf32 by depth: a split begins with the first chunk's weights", Bug::halo_first_chunk,
     run_halo_tf32_by_depth, Planted::always},
    {"shallow: pad channels not zero", Bug::shallow_not_padded, run_shallow, Planted::always},
    {"shallow: image border not checked", Bug::shallow_border_not_checked, run_shallow,
     Planted::always},
    {"moments: warps' parts over operands that are read", Bug::moments_over_operands,
     run_tile_moments, Planted::by_luck},
    {"moments: merged before all warps are there", Bug::moments_merged_early, run_tile_moments,
     Planted::by_luck},
    {"moments: rows not checked", Bug::moments_rows_not_bounded, run_tile_moments, Planted::always},
    {"moments: of rounded results", Bug::moments_rounded, run_tile_moments, Planted::always},
    {"moments: rows counted by all warps side by side", Bug::moments_rows_by_all, run_tile_moments,
     Planted::by_luck},
    {"halo wgrad: no cp.async wait", Bug::halo_wgrad_weak_wait, run_halo_wgrad, Planted::always},
    {"halo wgrad: pixels permuted on the reading side alone", Bug::halo_wgrad_unpermuted,
     run_halo_wgrad, Planted::always},
    {"halo wgrad: the next patch over the one that is read", Bug::halo_wgrad_one_stage,
     run_halo_wgrad, Planted::always},
    {"halo wgrad: grid not bounded", Bug::halo_wgrad_grid_not_bounded, run_halo_wgrad,
     Planted::always},
    {"ring: mbarriers not initialised", Bug::barriers_not_initialised, run_row_sums_ring,
     Planted::always},
    {"ring: no barrier after their initialisation", Bug::no_barrier_after_init, run_row_sums_ring,
     Planted::by_luck},
    {"ring: no wait for full", Bug::no_full_wait, run_row_sums_ring, Planted::always},
    {"ring: no wait for empty", Bug::no_empty_wait, run_row_sums_ring, Planted::by_luck},
    {"ring: no arrival on empty", Bug::no_empty_arrive, run_row_sums_ring, Planted::always},
    {"ring: wrong parity", Bug::wrong_full_parity, run_row_sums_ring, Planted::always},
    {"ring: too few bytes expected", Bug::too_few_bytes_expected, run_row_sums_ring,
     Planted::always},
    {"ring: too many bytes expected", Bug::too_many_bytes_expected, run_row_sums_ring,
     Planted::always},
    {"ring: wrong arrival count", Bug::wrong_arrival_count, run_row_sums_ring, Planted::always},
    {"ring: bytes not expected", Bug::bytes_not_expected, run_row_sums_ring, Planted::always},
    {"bf16: a product rounded before it is added", Bug::rounded_before_sum, run_bf16_update,
     Planted::always},
    {"bf16: the shadow's last pack not written", Bug::shadow_not_written, run_bf16_update,
     Planted::always},
    {"host: reads before the copy has finished", Bug::host_reads_early, run_pipeline,
     Planted::always},
    {"host: a stream does not wait for the copy", Bug::no_event_wait, run_pipeline,
     Planted::always},
    {"host: a copy does not wait for the kernel", Bug::copy_overtakes_kernel, run_pipeline,
     Planted::always},
    {"host: buffer reused before the copy has left", Bug::buffer_reused_early, run_pipeline,
     Planted::always},
    {"host: clock read before the finish", Bug::clock_before_finish, run_clock, Planted::always},
    {"host: wrong current device", Bug::wrong_current_device, run_two_devices, Planted::always},
    {"host: memory of another device", Bug::memory_of_other_device, run_two_devices,
     Planted::always},
    {"host: block larger than its launch bounds", Bug::block_beyond_bounds, run_pipeline,
     Planted::always},
};

/// First-in, last-in and `seeds` random schedules.
std::vector<emu::Options> schedules(std::uint64_t seeds) {
  std::vector<emu::Options> all = {{.schedule = emu::Schedule::first_in},
                                   {.schedule = emu::Schedule::last_in}};
  for (std::uint64_t seed = 0; seed < seeds; ++seed)
    all.push_back({.schedule = emu::Schedule::random, .seed = seed});
  return all;
}

/// Whether a run ends with an error or a wrong result; `how` tells which.
bool caught(double (*run)(Bug), Bug bug, std::string& how) {
  try {
    const double error = run(bug);
    how = fmt::format("error {:.3g} of the bound", error);
    return !(error <= 1);
  } catch (const Error& report) {
    how = report.what();
    return true;
  }
}

}  // namespace

TEST_CASE("every planted bug is found", "[emu]") {
  const auto all = schedules(6);
  std::size_t total = 0;
  for (const Planted& planted : kPlanted) {
    if (planted.bug == Bug::block_beyond_bounds && !emu::has_launch_bounds()) {
      WARN("launch bounds are skipped: this compiler does not tell them");
      continue;
    }
    std::size_t found = 0;
    std::string how, missed;
    for (const emu::Options& options : all) {
      emu::options() = options;
      if (caught(planted.run, planted.bug, how))
        ++found;
      else
        missed = how;
    }
    std::printf("%-46s %zu of %zu\n", planted.name, found, all.size());
    INFO(planted.name << ": " << missed);
    if (emu::race_checker() || planted.plain == Planted::always) CHECK(found == all.size());
    total += found;
  }
  std::printf("planted bugs found: %zu of %zu runs\n", total, all.size() * std::size(kPlanted));
}

TEST_CASE("correct kernels raise no alarm", "[emu]") {
  const auto all = schedules(20);
  for (const emu::Options& options : all) {
    emu::options() = options;
    for (auto* run : {run_batch_stats,
                      run_confusion,
                      run_conv3x3,
                      run_gemm_bf16,
                      run_gemm_bf16_unpadded,
                      run_mma_tf32,
                      run_mma_rows_rows,
                      run_mma_rows_depths,
                      run_mma_depths_depths,
                      run_mma_bf16_rows_rows,
                      run_mma_bf16_rows_depths,
                      run_mma_bf16_depths_depths,
                      run_mma_bf16_rows_by_element,
                      run_mma_bf16_depths_by_element,
                      run_halo,
                      run_halo_by_depth,
                      run_halo_tf32,
                      run_halo_tf32_by_depth,
                      run_halo_mapped,
                      run_shallow,
                      run_tile_moments,
                      run_halo_wgrad,
                      run_row_sums_ring,
                      run_bf16_update,
                      run_pipeline,
                      run_clock,
                      run_two_devices})
      CHECK(run(Bug::none) <= 1);
  }
}

}  // namespace glia::emu_test
