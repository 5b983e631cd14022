// Words of commands that messages tell people to type.
#pragma once

#include <string>

namespace glia {

/// `word` as a shell takes it for one word: in quotes where it needs them.
std::string shell_word(const std::string& word);

}  // namespace glia
