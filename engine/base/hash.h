// Fingerprints of files and texts: 128-bit XXH3 as 32 hexadecimal digits. They find equal content;
// they are no defence against forgery.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace glia {

std::string hash_text(std::string_view text);

/// Throws `Error` naming the file when it cannot be read.
std::string hash_file(const std::filesystem::path& path);

}  // namespace glia
