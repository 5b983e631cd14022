// What wrong elements of a gradient have in common, where it is simple.
#pragma once

#include <string>
#include <vector>

#include "benchmarks/cases/case.h"

namespace glia::test {

struct ComparedElement {
  std::size_t place = 0;  // row-major
  double found = 0, expected = 0;
  bool wrong = false;
};

/// "[0, 3, 2, 1]"
std::string place_text(const Shape& shape, std::size_t place);

/// A sentence each: how many, a common factor, extents that tell right from wrong, an error that is
/// the same all over a channel.
std::vector<std::string> common_pattern(const Shape& shape,
                                        const std::vector<ComparedElement>& elements);

}  // namespace glia::test
