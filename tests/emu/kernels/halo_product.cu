// A convolution 3x3 by the patches of kernels/cuda/conv/conv_halo.h. Planted bugs are put in from
// outside, by other copies of patches or another wait.
#include "kernels/cuda/conv/conv_halo.h"
#include "kernels/cuda/conv/mma_store.h"
#include "tests/emu/kernels/windows3x3.h"

namespace glia::emu_test {
namespace {

using namespace gpu;

/// The narrow tile in bf16, the wide one in tf32.
template <class T>
using TileOf = MmaBlock<kHaloTiles[std::is_same_v<T, Bf16> ? 1 : 0], T>;
template <class T>
using CopiesOf = ChunkCopies<TileOf<T>, kPieceOf<T>, T>;

/// Pixels as they come: not where the fragments are read.
template <class T>
struct Unpermuted {
  Gather<T> g;
  PatchPlace place;

  GLIA_INLINE void copy_part(T* patch, int chunk, int part) const {
    using Layout = PatchOf<T>;
    constexpr int kVec = kPieceOf<T>;
    if (part > 0) return;
    for (int unit = threadIdx.x; unit < Layout::kPixels * 8; unit += TileOf<T>::kThreads) {
      const int row = unit / 8 / Layout::kColumns, column = unit / 8 % Layout::kColumns;
      const int h = place.i + g.offset_h + row, w = place.j + g.offset_w + column;
      const bool inside = h >= 0 && h < g.height && w >= 0 && w < g.width;
      const T* from = g.data + chunk * Layout::kChannels + unit % 8 * kVec;
      copy<kVec>(patch + row * Layout::kRowPitch + column * Layout::kChannels + unit % 8 * kVec,
                 ptx::advanced(from, h * g.width + w, bytes_of<T>(g.pitch)), inside);
    }
  }
};

/// The next patch over the one that is read.
template <class T>
struct Overwriting {
  const CopiesOf<T>& copies;
  HaloSmem<TileOf<T>>& smem;

  GLIA_INLINE void copy_part(T* patch, int chunk, int part) const {
    T* other = patch == smem.patches[0] ? smem.patches[1] : smem.patches[0];
    copies.copy_part(chunk == 0 ? patch : other, chunk, part);
  }
};

/// Weights by row or by depth, from a chunk on.
template <class T>
GLIA_INLINE auto slices_of(const RowMatrix<T>& w, int channels, int column, int chunk) {
  return TapSlicesByRow<TileOf<T>, kPieceOf<T>>(w, channels, column, chunk);
}
template <class T>
GLIA_INLINE auto slices_of(const TapMatrix<T>& w, int, int column, int chunk) {
  return TapSlicesByDepth<TileOf<T>, kPieceOf<T>>(w, column, chunk);
}

template <Bug kBug, class T, class Matrix>
__global__ void __launch_bounds__(TileOf<T>::kThreads)
    halo3x3(Gather<T> x, Matrix w, Radix patches, Output y, Schedule schedule) {
  using Tile = TileOf<T>;
  auto& smem = gpu::shared<HaloSmem<Tile>>();
  const Share share = share_of_block<Tile>(schedule);
  const PatchPlace place(patches, kHaloRows, share.row / Tile::kRows);
  const CopiesOf<T> a(x, place);
  auto b = slices_of(w, x.channels, share.column, kBug == Bug::halo_first_chunk ? 0 : share.first);
  MmaSums<Tile> sum;
  if constexpr (kBug == Bug::halo_unpermuted)
    multiply_halo(smem, Unpermuted<T>{x, place}, b, share.first, share.slices, sum);
  else if constexpr (kBug == Bug::halo_patch_overwritten)
    multiply_halo(smem, Overwriting<T>{a, smem}, b, share.first, share.slices, sum);
  else
    multiply_halo<kBug == Bug::halo_weak_wait ? 2 : 1>(smem, a, b, share.first, share.slices, sum);
  store_patch<Tile, decltype(b)::kByRow>(y, share, place, x, sum);
}

/// Each split's sums are y's next [h, w, k].
template <class T, class Matrix>
void launch_halo(const Gather<T>& x, const Matrix& w, Output y, const HaloShape& shape, Bug bug) {
  using Tile = TileOf<T>;
  y.split_step = std::int64_t{shape.h} * shape.w * shape.k;
  const int column_tiles = (shape.k + Tile::kColumns - 1) / Tile::kColumns;
  const Radix patches = patches_of(x, kHaloRows);
  const Schedule schedule = {column_tiles, shape.c / PatchOf<T>::kChannels, kHaloSplits};
  const LaunchConfig config = {
      .grid = dim3(static_cast<unsigned>(patches.low * patches.middle * column_tiles), kHaloSplits),
      .block = Tile::kThreads,
      .smem_bytes = sizeof(HaloSmem<Tile>),
      .name = "halo3x3"};
  const auto run = [&](auto* kernel) { gpu::launch(kernel, config, x, w, patches, y, schedule); };
  switch (bug) {
    case Bug::halo_weak_wait: return run(halo3x3<Bug::halo_weak_wait, T, Matrix>);
    case Bug::halo_unpermuted: return run(halo3x3<Bug::halo_unpermuted, T, Matrix>);
    case Bug::halo_patch_overwritten: return run(halo3x3<Bug::halo_patch_overwritten, T, Matrix>);
    case Bug::halo_first_chunk: return run(halo3x3<Bug::halo_first_chunk, T, Matrix>);
    default: return run(halo3x3<Bug::none, T, Matrix>);
  }
}

template <class T>
void launch_form(const void* x, const void* w, float* y, const HaloShape& shape, bool by_depth,
                 Bug bug) {
  const Gather<T> gather = windows3x3<T>(x, shape, bug == Bug::halo_border_not_checked ? 1 : 0);
  const Output output = output3x3(y, shape);
  if (!by_depth) return launch_halo(gather, weights3x3<T>(w, shape), output, shape, bug);
  const TapMatrix<T> matrix = {
      .data = static_cast<const T*>(w),
      .radix = {shape.c, 3},
      .strides = {.low = shape.k, .middle = shape.c * shape.k, .high = 3 * shape.c * shape.k},
      .depth = 9 * shape.c,
      .columns = shape.k};
  launch_halo(gather, matrix, output, shape, bug);
}

}  // namespace

void halo_product(const void* x, const void* w, float* y, const HaloShape& shape,
                  const HaloForm& form, Bug bug) {
  if (form.tf32)
    launch_form<float>(x, w, y, shape, form.by_depth, bug);
  else
    launch_form<Bf16>(x, w, y, shape, form.by_depth, bug);
}

}  // namespace glia::emu_test
