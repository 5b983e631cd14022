// What every fuzz program does with its input: a parser returns, or throws `Error` with one message
// that is led by the file's name and safe to show. Anything else ends the program.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/base/check.h"

namespace glia {

inline void require(bool holds) {
  if (!holds) std::abort();
}

template <class Parse>
void feed(std::string_view lead, Parse&& parse) {
  try {
    parse();
  } catch (const Error& error) {
    const std::string_view message = error.what();
    require(message.starts_with(lead) && printable(message) == message);
  }
}

inline std::string_view view_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace glia

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);
