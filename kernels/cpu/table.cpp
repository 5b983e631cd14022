#include "kernels/cpu/table.h"

#include <hwy/highway.h>

#include "kernels/cpu/conv/bf16_unit.h"
#include "kernels/cpu/conv/conv_choice.h"
#include "kernels/cpu/kernels.h"

namespace glia::cpu {

const KernelTable& table() {
  static constexpr KernelTable kTable = {
      .name = "cpu",
      .maps = Maps::read,
      .gives_moments = true,
      .algorithm = [](const KernelContext& context, const KernelInfo& kernel,
                      const ConvGeometry& g) { return name_of(choose(context, kernel.id, g)); },
#define GLIA_KERNEL(name, Args, op, phase) .name = name,
#include "kernels/api/list.h"
  };
  return kTable;
}

const char* instruction_set() {
  // Highway orders targets from best (lowest bit) to worst.
  const auto usable = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(usable & -usable);
}

bool limit_instruction_set(std::string_view name) {
  const auto usable = hwy::SupportedTargets() & HWY_TARGETS;
  for (auto rest = usable; rest != 0; rest &= rest - 1) {
    const auto target = rest & -rest;
    if (hwy::TargetName(target) != name) continue;
    hwy::DisableTargets(target - 1);  // the better ones
    return true;
  }
  return false;
}

const char* bf16_instruction_set() {
  const Bf16Unit* unit = find_bf16_unit(Bf16Choice::automatic);
  return unit != nullptr ? unit->name : nullptr;
}

bool bf16_mostly() {
  return bf16_amx() != nullptr;
}

}  // namespace glia::cpu
