// What the emulator's tests ask of its messages.
#pragma once

#include <regex>
#include <string>

#include "engine/base/error.h"
#include "tests/catch.h"

namespace glia::emu_test {

/// The message of the error that `body` throws.
template <class Body>
std::string error_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

inline void contains(const std::string& text, const std::string& pattern) {
  INFO(text);
  CHECK(std::regex_search(text, std::regex(pattern)));
}

}  // namespace glia::emu_test
