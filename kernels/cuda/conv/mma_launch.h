// The host side of products on tensor cores.
#pragma once

#include <type_traits>

#include "kernels/cuda/conv/gemm_launch.h"
#include "kernels/cuda/conv/mma_store.h"

namespace glia::GLIA_GPU {

/// Calls launch(T(), D()) with the type of the operands, which that of x or w says, and with that
/// of dy: it is float32 beside bf16 where the results of the forward pass were.
template <class Launch>
void with_types(DType operands, DType dy, const Launch& launch) {
  if (operands != DType::bf16) return launch(float(), float());
  if (dy == DType::f32) return launch(Bf16(), float());
  launch(Bf16(), Bf16());
}

/// Calls launch(MmaBlock<tile, T>, integral_constant<int, kVec>).
template <class T, class D, class Launch>
void with_mma_tile(int tile, bool pieces, const Launch& launch) {
  static_assert(kMmaTileCount == 5);
  // What is copied element by element, for its pitch or to be rounded, only the smallest tile
  // takes.
  if (!pieces) return launch(MmaBlock<kMmaTileCount - 1, T>(), std::integral_constant<int, 1>());
  if constexpr (std::is_same_v<T, D>) {
    constexpr std::integral_constant<int, kPieceOf<T>> kPiece;
    switch (tile) {
      case 0: return launch(MmaBlock<0, T>(), kPiece);
      case 1: return launch(MmaBlock<1, T>(), kPiece);
      case 2: return launch(MmaBlock<2, T>(), kPiece);
      case 3: return launch(MmaBlock<3, T>(), kPiece);
      default: return launch(MmaBlock<4, T>(), kPiece);
    }
  }
}

/// By mma_tile.h; as run_product of gemm_launch.h. T is the type of the operands, D that of dy if
/// it is one of them.
template <class T, class D, class Launch>
bool run_mma_product(KernelContext& context, const char* name, const GemmShape& shape, bool pieces,
                     const Output& output, const Launch& launch) {
  const GemmChoice choice = choose_mma(context, shape, pieces);
  const MmaTile& tile = kMmaTiles[choice.tile];
  return run_cut(context, name, shape, {tile.rows, tile.columns, kMmaSlice<T>, choice.splits},
                 output, [&](LaunchConfig config, const Output& target, const Schedule& schedule) {
                   with_mma_tile<T, D>(choice.tile, pieces, [&](auto block, auto width) {
                     config.block = decltype(block)::kThreads;
                     launch(block, width, config, target, schedule);
                   });
                 });
}

}  // namespace glia::GLIA_GPU
