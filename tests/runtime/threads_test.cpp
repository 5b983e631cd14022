// --threads: as many as asked for, never more than the cores without a word.
#include <string>

#include <fmt/format.h>

#include "engine/runtime/open_device.h"
#include "tests/catch.h"

namespace glia::test {

namespace {

/// The number of threads of the CPU device, and what was said when it was opened.
std::pair<int, std::string> open_with(int threads) {
  std::string said;
  const auto device = open_device({.device = "cpu", .threads = threads},
                                  [&](const std::string& line) { said += line; });
  return {device->context().threads, said};
}

}  // namespace

TEST_CASE("threads: every core by default, and more than those with a warning", "[runtime]") {
  const int cores = available_cores();
  CHECK(open_with(0) == std::pair(cores, std::string()));
  CHECK(open_with(1) == std::pair(1, std::string()));
  const auto [threads, said] = open_with(cores + 1);
  CHECK(threads == cores + 1);
  CHECK(said.find(fmt::format("this process may use {} cores", cores)) != std::string::npos);
  CHECK_THROWS_WITH(open_with(-1), ContainsSubstring("--threads: found -1"));
}

}  // namespace glia::test
