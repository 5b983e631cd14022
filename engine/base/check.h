// Errors that a user can act on. Every message says what was found, what was expected and how to
// mend it; `main` prints it as one line and exits with a non-zero status.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "engine/base/error.h"

namespace glia {

/// Throws `Error` with a formatted message.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

/// Throws `Error` with a formatted message unless `condition` holds.
template <class... Args>
void check(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) fail(format, std::forward<Args>(args)...);
}

}  // namespace glia
