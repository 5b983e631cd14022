// Which results are written past the caches.
#pragma once

#include <cstdint>

#include "kernels/api/view.h"

namespace glia::cpu {

/// Whether a result is written past the caches, which are too small for it and would only fetch
/// what is overwritten: whole lines are. Its channels must fill lines.
inline bool streams(const View& y) {
  constexpr std::int64_t kLarge = (std::int64_t{8} << 20) / 4;
  return y.shape.numel() >= kLarge && y.pitch % 16 == 0 && y.channels() % 16 == 0 &&
         reinterpret_cast<std::uintptr_t>(y.data) % 64 == 0;
}

}  // namespace glia::cpu
