// Text from outside (names of files, mostly) as it may be shown, and lists that do not grow too
// long.
#pragma once

#include <filesystem>
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

bool is_utf8(std::string_view text);

/// What is said of a file whose name becomes an id and is no UTF-8.
inline constexpr std::string_view kNotUtf8 =
    "the name is no UTF-8, and ids are made of it; rename the file or its folder";

/// `text` with bytes that are no UTF-8 as "\xFF" and the like, for what can hold nothing else.
std::string utf8_text(std::string_view text);

/// A path, whose bytes the system leaves to whoever names a file, as UTF-8 that `path_of_text`
/// reads back: utf8_text where no "\xFF" stands in it already, else its backslash is "\x5C".
std::string text_of_path(const std::filesystem::path& path);
std::filesystem::path path_of_text(std::string_view text);

/// "a, b, c and 117 more".
std::string first_few(const std::vector<std::string>& items, std::size_t few = 10);

}  // namespace glia
