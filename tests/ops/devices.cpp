#include "tests/ops/devices.h"

#include "kernels/cpu/table.h"

namespace glia::test {

std::vector<const KernelTable*> devices_under_test() {
  return {&cpu::table()};
}

}  // namespace glia::test
