// Looking through a folder and its subfolders.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace glia {

/// Calls `file` with every file below `folder` and `linked_folder` with every link to a folder,
/// which is not followed. What is hidden is skipped. Throws `Error` naming the folder when one
/// cannot be read.
void walk_files(const std::filesystem::path& folder,
                const std::function<void(const std::filesystem::path&)>& file,
                const std::function<void(const std::filesystem::path&)>& linked_folder);

/// What is to be said of such a link; `flag` is the one that takes folders: "--data".
std::string linked_folder_problem(std::string_view flag);

}  // namespace glia
