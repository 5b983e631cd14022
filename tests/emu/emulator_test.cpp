// The emulator itself: instructions against their definitions, the runtime's refusals, reports.
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "kernels/emu/emu.h"
#include "tests/catch.h"
#include "tests/emu/device_buffer.h"
#include "tests/emu/example_runs.h"
#include "tests/emu/expect.h"

namespace glia::emu_test {
TEST_CASE("shuffles, votes and counting barriers follow their definitions", "[emu]") {
  emu::options() = {};
  const DeviceBuffer<int> out(64 * kWarpOps);
  warp_ops(out.get());
  const std::vector<int> found = out.read();
  unsigned thirds = 0;
  for (int lane = 0; lane < 32; lane += 3) thirds |= 1u << lane;
  for (int t = 0; t < 64; ++t) {
    const int lane = t % 32;
    const int expected[kWarpOps] = {5,
                                    (lane & ~7) + 1,
                                    lane ^ 3,
                                    lane + 4 < 32 ? lane + 4 : lane,
                                    lane % 16 >= 4 ? lane - 4 : lane,
                                    static_cast<int>(thirds),
                                    1,
                                    1,
                                    13,
                                    1,
                                    2,
                                    lane ^ 1};
    for (int i = 0; i < kWarpOps; ++i) {
      INFO("thread " << t << ", result " << i);
      CHECK(found[static_cast<std::size_t>(t * kWarpOps + i)] == expected[i]);
    }
  }
}

TEST_CASE("ldmatrix distributes elements as the PTX manual says", "[emu]") {
  emu::options() = {};
  const DeviceBuffer<std::uint32_t> plain(128), transposed(128);
  ldmatrix_both(plain.get(), transposed.get());
  const auto p = plain.read(), t = transposed.read();
  for (std::uint32_t lane = 0; lane < 32; ++lane)
    for (std::uint32_t m = 0; m < 4; ++m) {
      const auto element = [m](std::uint32_t r, std::uint32_t c) { return 64 * m + 8 * r + c; };
      const std::uint32_t r = lane / 4, c = lane % 4 * 2;
      CHECK(p[lane * 4 + m] == (element(r, c) | element(r, c + 1) << 16));
      CHECK(t[lane * 4 + m] == (element(c, r) | element(c + 1, r) << 16));
    }
}

TEST_CASE("device memory starts as NaN and its limits are checked", "[emu]") {
  emu::options() = {};
  const DeviceBuffer<float> fresh(3);
  for (const float value : fresh.read()) CHECK(value != value);

  emu::options().memory = 1 << 20;
  void* data = nullptr;
  CHECK(cudaMalloc(&data, 2 << 20) == cudaErrorMemoryAllocation);
  CHECK(cudaGetLastError() == cudaErrorMemoryAllocation);
  CHECK(cudaGetLastError() == cudaSuccess);
  std::size_t available = 0, total = 0;
  cudaMemGetInfo(&available, &total);
  CHECK(total == 1 << 20);
  CHECK(available == total - 3 * sizeof(float));

  float host[4] = {};
  CHECK(cudaMemcpy(fresh.get(), host, sizeof host, cudaMemcpyHostToDevice) ==
        cudaErrorInvalidValue);
  CHECK(cudaMemcpy(host, host, sizeof host, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
  CHECK(cudaFree(host) == cudaErrorInvalidValue);
  cudaGetLastError();
}

TEST_CASE("a launch that a GPU would refuse is refused", "[emu]") {
  emu::options() = {};
  const auto nothing = [](void*) {};
  CHECK_THROWS_AS(emu::run({.grid = 1, .block = 1025}, nothing, nullptr), Error);
  CHECK_THROWS_AS(emu::run({.grid = 0, .block = 32}, nothing, nullptr), Error);
  CHECK_THROWS_AS(emu::run({.grid = dim3(1, 65536), .block = 32}, nothing, nullptr), Error);
  CHECK_THROWS_AS(emu::run({.grid = 1, .block = 32, .smem_bytes = 228 << 10}, nothing, nullptr),
                  Error);
}

TEST_CASE("reports name the kernel, the place and how to repeat the run", "[emu]") {
  emu::options() = {.schedule = emu::Schedule::last_in, .seed = 5};
  const std::string hang = error_of([] { run_batch_stats(Bug::early_return); });
  contains(hang, "kernel batch_stats_partial on \\(3,3,1\\) blocks of \\(128,1,1\\) threads");
  contains(hang, "deadlock");
  contains(hang, "32 threads, the first of them \\(64,0,0\\), returned from the kernel");
  contains(hang, "wait for __syncthreads at tests/emu/kernels/batch_stats.cu:[0-9]+");
  contains(hang, "GLIA_EMU_SCHEDULE=last-in GLIA_EMU_SEED=5");
  contains(error_of([] { run_batch_stats(Bug::divergent_shuffle); }),
           "divergence: __shfl_down_sync at tests/emu/kernels/batch_stats.cu:[0-9]+");
}

TEST_CASE("the race checker says what it found", "[emu]") {
  emu::options() = {.schedule = emu::Schedule::first_in};
  if (!emu::race_checker()) {
    WARN("skipped: this build has no race checker");
    return;
  }
  const std::string place = "tests/emu/kernels/[a-z_0-9]+\\.cu:[0-9]+";
  contains(error_of([] { run_batch_stats(Bug::no_barrier_before_reuse); }),
           "race: write at " + place + " by thread .* is not ordered with the read at " + place);
  contains(error_of([] { run_confusion(Bug::no_device_atomic); }),
           "race: .* by thread .* of block [0-9]+; device memory");
  contains(error_of([] { run_confusion(Bug::counters_not_cleared); }),
           "uninitialised: atomic at " + place);
  contains(error_of([] { run_conv3x3(Bug::shared_out_of_bounds); }),
           "out of bounds: write of 4 bytes at " + place + ".*byte 3904 of 3904 bytes of shared");
  contains(error_of([] { run_gemm_bf16(Bug::no_wait); }),
           "copy in flight: read at " + place + ".*that nobody has waited for");
  contains(error_of([] { run_row_sums_ring(Bug::no_barrier_after_init); }),
           "race: atomic at " + place + " by .* is not ordered with the write at " + place);
}

}  // namespace glia::emu_test
