// A place in a kernel's source, taken where a function is called: the emulator's reports name it.
#pragma once

namespace glia::emu {

struct Site {
  const char* file = "?";
  int line = 0;

  /// As a default argument: the file and line of the caller. (clang 14 with libstdc++ 12 has no
  /// std::source_location.)
  static constexpr Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

}  // namespace glia::emu
