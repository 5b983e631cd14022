// How often one text stands in another.
#pragma once

#include <string>

namespace glia::test {

inline int occurrences(const std::string& text, const std::string& what) {
  int found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

}  // namespace glia::test
