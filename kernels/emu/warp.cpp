// Warp-wide instructions on top of `meet`.
#include "kernels/emu/block.h"
#include "kernels/emu/device.h"

namespace glia::emu {

int lane() {
  return current()->id % kWarp;
}

void shuffle_lanes(std::uint32_t mask, const char* operation, Site at, Shuffle& mine) {
  meet(mask, operation, at, &mine, [](void* const slots[kWarp], std::uint32_t) {
    for (int i = 0; i < kWarp; ++i) {
      if (!slots[i]) continue;
      auto& lane = *static_cast<Shuffle*>(slots[i]);
      const auto* source = static_cast<const Shuffle*>(slots[lane.source % kWarp]);
      // A lane outside the mask has no value to give: all ones is NaN in every float format.
      lane.result = source ? source->value : ~std::uint64_t{0};
    }
  });
}

std::uint32_t ballot(std::uint32_t mask, const char* operation, Site at, int predicate) {
  struct Slot {
    int predicate;
    std::uint32_t votes;
  } mine{predicate, 0};
  meet(mask, operation, at, &mine, [](void* const slots[kWarp], std::uint32_t) {
    std::uint32_t votes = 0;
    for (int i = 0; i < kWarp; ++i)
      if (slots[i] && static_cast<Slot*>(slots[i])->predicate) votes |= 1u << i;
    for (int i = 0; i < kWarp; ++i)
      if (slots[i]) static_cast<Slot*>(slots[i])->votes = votes;
  });
  return mine.votes;
}

}  // namespace glia::emu
