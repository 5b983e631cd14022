#include "kernels/cpu/conv/bf16_unit.h"

#include "engine/base/check.h"

namespace glia::cpu {

const Bf16Unit* find_bf16_unit(Bf16Choice choice) {
  switch (choice) {
    case Bf16Choice::amx: return bf16_amx();
    case Bf16Choice::avx512: return bf16_avx512();
    case Bf16Choice::portable: return bf16_portable();
    case Bf16Choice::automatic: break;
  }
  const Bf16Unit* amx = bf16_amx();
  return amx != nullptr ? amx : bf16_avx512();
}

const Bf16Unit& bf16_unit(Bf16Choice choice) {
  const Bf16Unit* unit = find_bf16_unit(choice);
  check(unit != nullptr,
        "bf16: this processor has not the instructions; expected AMX (amx-bf16) or AVX512-BF16");
  return *unit;
}

}  // namespace glia::cpu
