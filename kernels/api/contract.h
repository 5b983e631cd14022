// Of the text of the headers that a plugin is compiled against: tools/check-contract --write puts
// the number here whenever one has changed.
#pragma once

#include <cstdint>

namespace glia {

inline constexpr std::uint64_t kContractText = 0x9794fd4c76c3ec92;

}  // namespace glia
