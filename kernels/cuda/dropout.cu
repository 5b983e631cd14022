// Dropout: kernels/api/elementwise.h, docs/ops/dropout.md. The mask is drawn again in the backward
// pass instead of being kept.
//
// Work: kernels/cuda/map.h, four elements (eight bf16) a thread and turn in any case, since a
// Philox block gives four numbers: elements 4i to 4i + 3 in dense order take block i, so that the
// same ones are dropped whatever their type. Without packs they may lie in more than one row and
// are moved one by one. No shared memory.
#include <cmath>

#include "engine/base/rng.h"
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/map.h"

namespace glia::GLIA_GPU {
namespace {

struct Mask {
  std::uint64_t seed, stream, first;
  const std::int64_t* counter;  // null, or how often 65536 is to be added to the stream
  std::uint32_t least;          // of the 24 bits that are kept
  float factor;                 // of what is kept
};

template <class T>
__global__ void __launch_bounds__(kMapThreads)
    dropout_blocks(Elements elements, Mask mask, Strided<const T> x, Strided<T> y,
                   bool accumulate) {
  constexpr int kPack = kPackOf<T>;
  std::uint64_t stream = mask.stream;
  if (mask.counter != nullptr) stream += 65536 * static_cast<std::uint64_t>(*mask.counter);

  for (Walk<kPack> walk(elements); walk.element < elements.count; walk.next()) {
    Pack<kPack> factors{};
#pragma unroll
    for (int from = 0; from < kPack; from += 4) {
      const auto words = philox(mask.seed, stream,
                                (mask.first + static_cast<std::uint64_t>(walk.element + from)) / 4);
#pragma unroll
      for (int k = 0; k < 4; ++k)
        factors.at[from + k] = (words[k] >> 8) >= mask.least ? mask.factor : 0;
    }
    // A dropped element is 0 even where x is infinite.
    const auto masked = [](float value, float factor) { return factor == 0 ? 0 : value * factor; };

    if (elements.packed && walk.element + kPack <= elements.count) {
      put_pack<kPack>(masked, y.at(walk.row, walk.column), accumulate,
                      x.template load<kPack>(walk.row, walk.column), factors);
      continue;
    }
    std::int64_t row = walk.row, column = walk.column;
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      if (walk.element + k >= elements.count) break;
      put_pack<1>(masked, y.at(row, column), accumulate, x.template load<1>(row, column),
                  Pack<1>{factors.at[k]});
      if (++column < elements.columns) continue;
      column = 0;
      ++row;
    }
  }
}

}  // namespace

void dropout(KernelContext& context, const Dropout& a) {
  // uniform = bits / 2^24, and p * 2^24 is exact: bits >= ceil(p * 2^24) is uniform >= p.
  const Mask mask = {.seed = a.seed,
                     .stream = a.stream,
                     .first = a.first,
                     .counter = a.counter.as<std::int64_t>(),
                     .least = static_cast<std::uint32_t>(std::ceil(a.p * 0x1p24)),
                     .factor = static_cast<float>(1 / (1 - a.p))};
  with_type_of(a.y, [&](auto type) {
    using T = decltype(type);
    const Elements elements = elements_of(kPackOf<T>, a.y, a.x);
    if (elements.count == 0) return;
    gpu::launch(dropout_blocks<T>, map_launch(context, name_of(a), elements, kPackOf<T>), elements,
                mask, strided<T>(a.x), strided<T>(a.y), a.write == Write::accumulate);
  });
}

}  // namespace glia::GLIA_GPU
