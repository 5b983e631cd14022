// A matrix product on tensor cores, c[row, column] = sum over depth of a[row, depth] * b[depth,
// column]: of float32, rounded to tf32 (ten bits of mantissa, to nearest) as they come to
// registers, or of bf16; products exact, sums in float32. The operands are gathered as for
// gemm_tile.h, by the classes of gemm_operands.h and conv_operands.h.
//
// Work mapping: a block computes one tile of c (kMmaTiles), a warp 64x64 or less of it in fragments
// of 16x8 (mma.sync.m16n8k8, in bf16 m16n8k16). Operands arrive in slices of 128 bytes of depth, 32
// float32 or 64 bf16, through a ring of stages, which cp.async fills as many ahead as there are,
// less one. The copies of a slice are queued after the first row of products, so that tensor cores
// start right after the barrier.
//
// Shared memory: stages * (rows + columns) * 128 bytes: 96 KiB for a tile of 128x128, 80 for
// 256x64 and 64x256, 72 for 128x64, 36 for 64x32; kernels that gather windows add 8 bytes a row.
#pragma once

#include "kernels/cuda/conv/mma_fragments.h"

namespace glia::GLIA_GPU {

template <class Tile>
struct MmaRing {
  alignas(128) typename Tile::Element a[Tile::kStages][Tile::kRows * Tile::kDepth];
  alignas(128) typename Tile::Element b[Tile::kStages][Tile::kColumns * Tile::kDepth];
};

/// sum += the product of `slices` slices that `a` and `b` copy one after the other, waiting until
/// kPending groups of copies at most are on their way. All threads of the block call it.
template <int kPending, class Tile, class A, class B>
GLIA_INLINE void multiply(MmaRing<Tile>& ring, A& a, B& b, int slices, MmaSums<Tile>& sum) {
  constexpr int kRing = Tile::kStages;
  const MmaFragmentsA<Tile, A::kByRow> read_a;
  const MmaFragmentsB<Tile, B::kByRow> read_b;
  for (int s = 0; s < kRing - 1; ++s) {
    if (s < slices) {
      a.copy_slice(ring.a[s]);
      b.copy_slice(ring.b[s]);
    }
    ptx::cp_async_commit();
  }
  int stage = 0;
#pragma unroll 1
  for (int s = 0; s < slices; ++s) {
    ptx::cp_async_wait<kPending>();
    // Slice s has arrived for all threads; and all have finished with slice s - 1, whose stage is
    // filled again now.
    __syncthreads();
#pragma unroll
    for (int step = 0; step < kMmaSteps; ++step) {
      std::uint32_t fa[Tile::kFragmentRows][4], fb[Tile::kFragmentColumns][2];
      read_a.load(fa, ring.a[stage], step);
      read_b.load(fb, ring.b[stage], step);
#pragma unroll
      for (int i = 0; i < Tile::kFragmentRows; ++i) {
#pragma unroll
        for (int j = 0; j < Tile::kFragmentColumns; ++j)
          multiply_add<typename Tile::Element>(sum.at[i][j], fa[i], fb[j]);
        if (step == 0 && i == 0) {
          if (s + kRing - 1 < slices) {
            const int finished = stage == 0 ? kRing - 1 : stage - 1;
            a.copy_slice(ring.a[finished]);
            b.copy_slice(ring.b[finished]);
          }
          ptx::cp_async_commit();
        }
      }
    }
    stage = stage == kRing - 1 ? 0 : stage + 1;
  }
}

template <class Tile, class A, class B>
GLIA_INLINE void multiply(MmaRing<Tile>& ring, A& a, B& b, int slices, MmaSums<Tile>& sum) {
  multiply<Tile::kStages - 2>(ring, a, b, slices, sum);
}

}  // namespace glia::GLIA_GPU
