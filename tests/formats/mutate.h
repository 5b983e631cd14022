// Damages sound files by a seeded generator and feeds them to a decoder, which must return or throw
// Error, led by the file's name, and nothing else. The sanitizer build makes such tests worth their
// time; tests/fuzz does the same for hours.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace glia {

struct Outcomes {
  int read = 0, refused = 0;
};

/// `decode` is told that the file is called "name".
Outcomes feed(const std::vector<std::string>& files, std::uint64_t seed, int cases,
              const std::function<void(const std::string&)>& decode);

/// Values of `bits` bits.
std::vector<std::uint16_t> noise(int count, int bits);

}  // namespace glia
