// The hidden names under which files and folders grow beside their place, and the lock that tells
// them from what killed programs have left.
#pragma once

#include <filesystem>
#include <string>

namespace glia {

/// ".metrics.csv.glia-0123456789abcdef" for "metrics.csv": drawn at random, so that no two programs
/// meet in one, wherever they run. Throws `Error` where the system has no random numbers.
std::string temporary_name(const std::filesystem::path& target);

/// Whether the file or folder has such a name.
bool is_temporary_name(const std::filesystem::path& path);

/// Locks the file or folder `path` that was just made and opened as `descriptor`. False when
/// somebody took it for the remains of a killed program before that: make another. Where the file
/// system has no locks, nobody takes it for that.
bool claim(int descriptor, const std::filesystem::path& path);

}  // namespace glia
