// The files of a folder that may be pictures or volumes, by their names.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "engine/base/problems.h"

namespace glia {

struct CollectedFiles {
  std::set<std::filesystem::path> known;    // with an ending that `read_stack` knows
  std::set<std::filesystem::path> foreign;  // of other formats that hold pictures or volumes
};

/// Adds what lies below `root`; hidden files are skipped, links to folders become problems. Throws
/// `Error` when `root` is no folder or cannot be read.
void collect_files(const std::filesystem::path& root, CollectedFiles& files, Problems& problems);

/// What to do with a file of another format.
std::string foreign_problem(const std::filesystem::path& file);

/// Why a file cannot be opened, led by its name: a link that leads nowhere, a pointer of Git LFS.
/// Empty when it can.
std::string why_unreadable(const std::filesystem::path& file);

}  // namespace glia
