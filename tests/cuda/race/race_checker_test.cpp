#include "kernels/emu/emu.h"
#include "tests/catch.h"

TEST_CASE("this program's kernels are built for the race checker", "[ops]") {
  CHECK(glia::emu::race_checker());
}
