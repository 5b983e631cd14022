// Example kernels of the emulator's tests. Each takes a planted bug: a mistake that the tests
// demand the emulator to find; Bug::none is the correct kernel.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "engine/base/bf16.h"

namespace glia::emu_test {

enum class Bug : int {
  none,
  // batch_stats
  no_barrier_after_write,
  no_barrier_before_reuse,
  divergent_barrier,
  early_return,
  divergent_shuffle,
  mask_without_lane,
  uninitialised_partial,
  rows_off_by_one,
  // confusion
  no_shared_atomic,
  no_device_atomic,
  counters_not_cleared,
  no_syncwarp,
  // conv3x3
  conv_no_barrier_after_load,
  conv_no_barrier_before_reload,
  halo_not_loaded,
  tile_off_by_one,
  shared_out_of_bounds,
  image_not_bounded,
  // gemm_bf16
  no_wait,
  weak_wait,
  no_barrier_after_wait,
  no_barrier_before_refill,
  not_transposed,
  wrong_fragment,
  divergent_mma,
  gemm_columns_not_bounded,
  // mma_product
  mma_weak_wait,
  mma_unpermuted_rows,
  mma_unpermuted_depths,
  mma_wrong_owner,
  mma_rows_not_bounded,
  mma_depth_not_bounded,
  mma_not_transposed,    // of bf16 alone, and so the next
  mma_rounded_partials,  // a sum is rounded before the other half is added
  // halo_product
  halo_weak_wait,
  halo_unpermuted,
  halo_patch_overwritten,
  halo_border_not_checked,
  halo_first_chunk,  // of weights, whichever chunk a split begins with
  // halo_mapped
  halo_mapped_early,       // before the copies have arrived
  halo_mapped_padding,     // pixels outside the image too
  halo_mapped_by_another,  // by the map of another chunk's channels
  // shallow_product
  shallow_not_padded,
  shallow_border_not_checked,
  // tile_moments
  moments_over_operands,
  moments_merged_early,
  moments_rows_not_bounded,
  moments_rounded,
  moments_rows_by_all,
  // halo_wgrad
  halo_wgrad_weak_wait,
  halo_wgrad_unpermuted,
  halo_wgrad_one_stage,
  halo_wgrad_grid_not_bounded,
  // ring
  barriers_not_initialised,
  no_barrier_after_init,
  no_full_wait,
  no_empty_wait,
  no_empty_arrive,
  wrong_full_parity,
  too_few_bytes_expected,
  too_many_bytes_expected,
  wrong_arrival_count,
  bytes_not_expected,
  // bf16_update
  rounded_before_sum,
  shadow_not_written,
  // host code around scale
  host_reads_early,
  no_event_wait,
  copy_overtakes_kernel,
  buffer_reused_early,
  clock_before_finish,
  wrong_current_device,
  memory_of_other_device,
  block_beyond_bounds,
};

/// x [rows, channels] -> mean and M2 (the sum of squared deviations) a channel, in two launches;
/// partials [chunks, channels, 3] is scratch.
void batch_stats(const float* x, float* mean, float* m2, float* partials, int rows, int channels,
                 int chunks, Bug bug);

/// counts[4]: true positives, false positives, false negatives, true negatives of p > 0.5 against
/// t > 0.5. counts is zeroed by the caller.
void confusion(const float* p, const float* t, unsigned* counts, int n, Bug bug);

/// y [H, W, K] = x [H, W, C] convolved with w [K, 3, 3, C], stride 1, padding 1.
void conv3x3(const float* x, const float* w, float* y, int H, int W, int C, int K, Bug bug);

/// c [M, N] f32 = a [M, K] * b [K, N], both bf16 and row-major; N and K multiples of 8. `padded`
/// false leaves out the padding of shared rows: correct, with bank conflicts.
void gemm_bf16(const std::uint16_t* a, const std::uint16_t* b, float* c, int M, int N, int K,
               bool padded, Bug bug);

/// d [16, 8] = a [16, 8] * b [8, 8] by one tf32 instruction.
void mma_tf32(const float* a, const float* b, float* d);

/// How the operands of mma_product lie: a [M, K] or by depth [K, M], b [N, K] or by depth [K, N].
enum class MmaLayout : int { rows_rows, rows_depths, depths_depths };
struct MmaShape {
  int m, n, k;
  MmaLayout layout;
  bool by_element = false;  // not 16 bytes, but one element is copied at a time
};

/// c [M, N] = a * b in tf32 by the products of the convolutions; M, N and K multiples of 4.
void mma_product(const float* a, const float* b, float* c, const MmaShape& shape, Bug bug);

/// The same in bf16, c rounded to it; M, N and K multiples of 8.
void mma_product_bf16(const std::uint16_t* a, const std::uint16_t* b, std::uint16_t* c,
                      const MmaShape& shape, Bug bug);

/// y [h, w, k] = x [h, w, c] convolved with w [k, 3, 3, c], padding 1, in bf16 by patches of x; k a
/// multiple of 8.
struct HaloShape {
  int h, w, c, k;
};
/// The same as kHaloSplits sums, y [kHaloSplits, h, w, k], c a multiple of 128: in tf32 of float32,
/// and with w as dgrad reads it, [3, 3, c, k].
inline constexpr int kHaloSplits = 2;
struct HaloForm {
  bool tf32 = false, by_depth = false;
};
void halo_product(const void* x, const void* w, float* y, const HaloShape& shape,
                  const HaloForm& form, Bug bug);

/// The same in bf16, of x that is read through a map [3, c].
void halo_mapped(const std::uint16_t* x, const float* map, const std::uint16_t* w, float* y,
                 const HaloShape& shape, Bug bug);

/// The same for c of at most 8.
void shallow_product(const std::uint16_t* x, const std::uint16_t* w, float* y,
                     const HaloShape& shape, Bug bug);

/// Of x [rows, columns], of kMomentRows rows at a time, the mean and the sum of squared deviations
/// of each column, columns at most 64: parts [2, columns, tiles], and how many rows [tiles].
/// scratch [tiles].
inline constexpr int kMomentRows = 128;
void tile_moments(const float* x, float* parts, float* scratch, int rows, int columns, Bug bug);

/// dw [k, 3, 3, c], the gradient of w above where that of y is dy; c and k multiples of 64.
void halo_wgrad(const std::uint16_t* dy, const std::uint16_t* x, float* dw, const HaloShape& shape,
                Bug bug);

/// y[i] = sum of row i of x [rows, columns]; a producer warp streams rows through a ring of shared
/// buffers with bulk copies and mbarriers. columns: a multiple of 4, at most 256.
void row_sums_ring(const float* x, float* y, int rows, int columns, Bug bug);

/// out [64, kWarpOps]: what each of 64 threads got from shuffles, votes and counting barriers.
constexpr int kWarpOps = 12;
void warp_ops(int* out);

/// plain, transposed [32, 4]: the registers of ldmatrix.x4 over four 8x8 matrices whose element
/// (row r of 32, column c) is 8 r + c.
void ldmatrix_both(std::uint32_t* plain, std::uint32_t* transposed);

/// w [n] += a [n] * b [n], and shadow [n] is the new w; y [n] += a [n] * b [n]. All but w are bf16:
/// what is added is not rounded, only the sum. n: a multiple of 8.
void bf16_update(const Bf16* a, const Bf16* b, float* w, Bf16* shadow, Bf16* y, int n, Bug bug);

/// y [n] = 2 x [n] + 1 on `stream`.
void scale(const float* x, float* y, int n, cudaStream_t stream, Bug bug);

/// out [32, 8]: rows of four 8x8 matrices after stmatrix of the first 1, 2 or 4; element i of
/// matrix m, in the order of lanes, is 64 m + i. Rows of other matrices stay 0xFFFF.
void stmatrix(std::uint16_t* out, int matrices, bool transposed);

/// out [n, 4]: of x [n, 2] both ways of packing, of pairs a, b, c in abc [n, 3] max(a * b + c, 0)
/// and max(a, b).
void packed_bf16(const float* x, const std::uint32_t* abc, std::uint32_t* out, int n);

/// d [16, 8] = c [16, 8] + a [16, 16] * bt [8, 16] transposed, by one bf16 instruction.
void mma_bf16(const std::uint16_t* a, const std::uint16_t* bt, const float* c, float* d);

/// y [64, 4]: rows 0..valid of x, in pairs exchanged and each reversed; 16 bytes at a time by way
/// of shared memory, where every third row of 32 is filled with zeros.
void wide_copies(const float* x, float* y, int valid);

}  // namespace glia::emu_test
