// Catch2, version 2.13 (Debian 12) or 3 (Debian 13, Ubuntu 24.04). Tests write version 3; what
// version 2 names otherwise is named here, and nowhere else.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
namespace Catch::Matchers {
inline auto ContainsSubstring(const std::string& text) {
  return Contains(text);
}
}  // namespace Catch::Matchers
#endif

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Predicate;
using Catch::Matchers::StartsWith;
