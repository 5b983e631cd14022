// Sparklines by their blocks.
#include <limits>
#include <string>

#include "apps/terminal/sparkline.h"
#include "tests/catch.h"

using glia::Sparkline;

namespace {

std::size_t characters(const std::string& line) {
  return line.size() / 3;  // each block takes three bytes
}

}  // namespace

TEST_CASE("a sparkline rises and falls with its values", "[progress]") {
  Sparkline line;
  CHECK(line.str().empty());
  for (const double value : {8, 5, 3, 2, 1}) line.add(value);
  CHECK(line.str() == "█▅▃▂▁");
  line.add(std::numeric_limits<double>::quiet_NaN());
  line.add(std::numeric_limits<double>::infinity());
  CHECK(line.str() == "█▅▃▂▁");
}

TEST_CASE("a sparkline of equal values is flat", "[progress]") {
  Sparkline line;
  for (int i = 0; i < 3; ++i) line.add(0.25);
  CHECK(line.str() == "▁▁▁");
}

TEST_CASE("a long series keeps its shape in few cells", "[progress]") {
  Sparkline line(8);
  for (int i = 0; i < 1024; ++i) {
    line.add(1024 - i);
    CHECK(characters(line.str()) <= 8);
  }
  // 1024 values are 8 cells of 128: from the highest to the lowest in equal steps.
  CHECK(line.str() == "█▇▆▅▄▃▂▁");
  line.add(0);  // merged in pairs, and a cell that has begun
  CHECK(characters(line.str()) == 5);
}
