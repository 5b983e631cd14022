// The host side of products on tensor cores.
#pragma once

#include <type_traits>

#include "kernels/cuda/conv/gemm_launch.h"
#include "kernels/cuda/conv/mma_store.h"

namespace glia::GLIA_GPU {

/// Calls launch(MmaBlock<tile>, integral_constant<int, kVec>).
template <class Launch>
void with_mma_tile(int tile, bool fours, const Launch& launch) {
  static_assert(kMmaTileCount == 5);
  // Operands of odd pitches are copied element by element, which only the smallest tile can do.
  if (!fours) return launch(MmaBlock<kMmaTileCount - 1>(), std::integral_constant<int, 1>());
  constexpr std::integral_constant<int, 4> kFours;
  switch (tile) {
    case 0: return launch(MmaBlock<0>(), kFours);
    case 1: return launch(MmaBlock<1>(), kFours);
    case 2: return launch(MmaBlock<2>(), kFours);
    case 3: return launch(MmaBlock<3>(), kFours);
    default: return launch(MmaBlock<4>(), kFours);
  }
}

/// By mma_tile.h; as run_product of gemm_launch.h.
template <class Launch>
void run_mma_product(KernelContext& context, const char* name, const GemmShape& shape, bool fours,
                     const Output& output, const Launch& launch) {
  const GemmChoice choice = choose_mma(context, shape, fours);
  const MmaTile& tile = kMmaTiles[choice.tile];
  run_cut(context, name, shape, {tile.rows, tile.columns, kMmaSlice, choice.splits}, output,
          [&](LaunchConfig config, const Output& target, const Schedule& schedule) {
            with_mma_tile(choice.tile, fours, [&](auto block, auto width) {
              config.block = decltype(block)::kThreads;
              launch(block, width, config, target, schedule);
            });
          });
}

}  // namespace glia::GLIA_GPU
