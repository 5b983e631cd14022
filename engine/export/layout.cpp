#include "engine/export/layout.h"

#include <cstddef>

namespace glia {

namespace {

/// Calls `pair` with the places of each element in Glia's order and in the other.
template <class Pair>
void each_element(const std::vector<std::int64_t>& shape, Pair&& pair) {
  const auto K = static_cast<std::size_t>(shape[0]), R = static_cast<std::size_t>(shape[1]),
             S = static_cast<std::size_t>(shape[2]), C = static_cast<std::size_t>(shape[3]);
  std::size_t here = 0;
  for (std::size_t k = 0; k < K; ++k)
    for (std::size_t window = 0; window < R * S; ++window)
      for (std::size_t c = 0; c < C; ++c) pair(here++, (k * C + c) * R * S + window);
}

}  // namespace

std::vector<std::int64_t> channels_second(const std::vector<std::int64_t>& shape) {
  if (shape.size() != 4) return shape;
  return {shape[0], shape[3], shape[1], shape[2]};
}

std::vector<float> channels_second(std::span<const float> values,
                                   const std::vector<std::int64_t>& shape) {
  std::vector<float> moved(values.begin(), values.end());
  if (shape.size() == 4)
    each_element(shape, [&](std::size_t here, std::size_t there) { moved[there] = values[here]; });
  return moved;
}

std::vector<float> channels_last(std::span<const float> values,
                                 const std::vector<std::int64_t>& shape) {
  std::vector<float> moved(values.begin(), values.end());
  if (shape.size() == 4)
    each_element(shape, [&](std::size_t here, std::size_t there) { moved[here] = values[there]; });
  return moved;
}

}  // namespace glia
