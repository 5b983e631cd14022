// The largest of a window, and where it lies, for a pack of channels.
#pragma once

#include "kernels/cuda/pack.h"

namespace glia::GLIA_GPU {

template <int kPack>
struct Largest {
  Pack<kPack> best{};
  Pack<kPack, std::uint8_t> places{};

  /// The value at `place`; places come in order, from 0. One is taken that is greater than the
  /// others before it, or the first NaN.
  __device__ void take(int place, const Pack<kPack>& values) {
    for (int k = 0; k < kPack; ++k) {
      const float value = values.at[k], so_far = best.at[k];
      if (place == 0 || value > so_far || (value != value && so_far == so_far)) {
        best.at[k] = value;
        places.at[k] = static_cast<std::uint8_t>(place);
      }
    }
  }
};

}  // namespace glia::GLIA_GPU
