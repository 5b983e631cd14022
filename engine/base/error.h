// The one kind of exception, apart from check.h so that sources which no GPU compiler takes fmt in
// can name it.
#pragma once

#include <stdexcept>
#include <string>

#include "engine/base/text.h"

namespace glia {

/// A failure that the user can understand and mend: bad input, a full disk, shapes that do not fit.
/// What a terminal would obey, in the name of a file for example, is written out (see `printable`).
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& text) : std::runtime_error(printable(text)) {}
};

}  // namespace glia
