// Runs each example kernel on inputs that touch every edge and wrap every ring, and compares with a
// plain float64 loop.
#pragma once

#include "tests/emu/kernels/examples.h"

namespace glia::emu_test {

// Each returns the largest error as a share of its bound (NaN counts as infinite): above 1 the
// result is wrong. Throws what the emulator reports.
double run_batch_stats(Bug bug);
double run_confusion(Bug bug);
double run_conv3x3(Bug bug);
double run_gemm_bf16(Bug bug);
double run_gemm_bf16_unpadded(Bug bug);
double run_mma_tf32(Bug bug);
double run_mma_rows_rows(Bug bug);
double run_mma_rows_depths(Bug bug);
double run_mma_depths_depths(Bug bug);
double run_mma_bf16_rows_rows(Bug bug);
double run_mma_bf16_rows_depths(Bug bug);
double run_mma_bf16_depths_depths(Bug bug);
// The same, copied element by element.
double run_mma_bf16_rows_by_element(Bug bug);
double run_mma_bf16_depths_by_element(Bug bug);
double run_halo(Bug bug);
double run_halo_by_depth(Bug bug);
double run_halo_tf32(Bug bug);
double run_halo_tf32_by_depth(Bug bug);
double run_halo_mapped(Bug bug);
double run_shallow(Bug bug);
double run_tile_moments(Bug bug);
double run_halo_wgrad(Bug bug);
double run_row_sums_ring(Bug bug);
double run_bf16_update(Bug bug);

// Host code around a kernel: batches through two streams and page-locked memory; a clock around
// launches; two devices.
double run_pipeline(Bug bug);
double run_clock(Bug bug);
double run_two_devices(Bug bug);

}  // namespace glia::emu_test
