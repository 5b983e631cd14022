// The one kind of exception, apart from check.h so that sources which no GPU compiler takes fmt in
// can name it.
#pragma once

#include <stdexcept>

namespace glia {

/// A failure that the user can understand and mend: bad input, a full disk, shapes that do not fit.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace glia
