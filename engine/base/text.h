// Text from outside (names of files, mostly) as it may be shown, and lists that do not grow too
// long.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace glia {

/// `text` without what a terminal would obey or hide: control characters, marks that turn the
/// direction of writing, and bytes that are no UTF-8 become "\x1B" and the like. Line feeds and
/// tabs stay.
std::string printable(std::string_view text);

/// The same for a name, which must not begin a line of its own: line feeds and tabs go too.
std::string printable_name(std::string_view name);

/// "a, b, c and 117 more".
std::string first_few(const std::vector<std::string>& items, std::size_t few = 10);

}  // namespace glia
