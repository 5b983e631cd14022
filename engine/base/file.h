// Files that are either whole or not there: write to a temporary name, flush to disk, rename.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace glia {

/// Replaces `path` with the concatenated `parts`. A crash, a kill or a full disk leaves the old
/// file as it was. Throws `Error` naming the file and the system's reason. Without `flush` a power
/// cut may take the file: for thousands of them in a folder that counts only when it is whole, with
/// one `sync_folder` in the end.
void write_file_atomically(const std::filesystem::path& path,
                           std::span<const std::string_view> parts, bool flush = true);
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Waits until everything below `path` is on the disk. Throws `Error` with the system's reason.
void sync_folder(const std::filesystem::path& path);

/// The whole file. Throws `Error` naming it when it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Creates a folder and its parents. Throws `Error` with the system's reason.
void make_folder(const std::filesystem::path& path);

}  // namespace glia
