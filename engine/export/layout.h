// Weights in the layout of PyTorch and ONNX.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace glia {

/// [K,R,S,C], as Glia keeps the weights of convolutions, to [K,C,R,S]; those of transposed ones
/// [C,R,S,K] to [C,K,R,S] by the same permutation. Shapes of other ranks stay as they are.
std::vector<std::int64_t> channels_second(const std::vector<std::int64_t>& shape);
/// The values that belong to it; `shape` is Glia's.
std::vector<float> channels_second(std::span<const float> values,
                                   const std::vector<std::int64_t>& shape);
/// The way back; `shape` is Glia's here too.
std::vector<float> channels_last(std::span<const float> values,
                                 const std::vector<std::int64_t>& shape);

}  // namespace glia
