// Files that are either whole or not there: write to a temporary name (engine/base/part_file.h),
// flush to disk, rename.
#pragma once

#include <cstdint>
#include <filesystem>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/if_there.h"

namespace glia {

/// A file could not be written.
class WriteError : public Error {
 public:
  WriteError(const std::string& text, int code) : Error(text), code_(code) {}
  /// The system's number of the reason.
  int code() const { return code_; }

 private:
  int code_;
};

/// Replaces `path` with the concatenated `parts`. A crash, a kill or a full disk leaves the old
/// file as it was. A link is replaced, and what it leads to stays (see `through_links`); a device
/// or pipe is written into. Throws `WriteError` naming the file and the system's reason, also where
/// there is a file and `if_there` refuses to replace it. Without `flush`
/// a power cut may take the file: for thousands of them in a folder that counts only when it is
/// whole, with one `sync_folder` in the end.
void write_file_atomically(const std::filesystem::path& path,
                           std::span<const std::string_view> parts, bool flush = true,
                           IfThere if_there = IfThere::replace);
void write_file_atomically(const std::filesystem::path& path, std::string_view content,
                           IfThere if_there = IfThere::replace);

/// Where a link leads, to a file or to a place where one can be made; else `path`. For the names
/// that a user gave to files: such a link is meant to stay one, while a link among the files of a
/// folder is none of Glia's.
std::filesystem::path through_links(const std::filesystem::path& path);

/// Adds `text` to the end of a file, which is made where there is none. Throws `Error` naming the
/// file, and changes nothing, where it is a link or the system refuses.
void append_to_file(const std::filesystem::path& path, std::string_view text);

/// A descriptor of a file to add to, for which the same holds.
int open_to_append(const std::filesystem::path& path);

/// Waits until everything below `path` is on the disk. Throws `Error` with the system's reason.
void sync_folder(const std::filesystem::path& path);

/// Waits until the names in a folder are on the disk: those that were made, renamed or removed. Not
/// every file system can; empty is the current folder.
void sync_names(const std::filesystem::path& folder);

inline constexpr std::size_t kMaxTextFile = std::size_t{64} << 20;  // lists, tables, JSON

/// The whole file. Throws `Error` naming it when it cannot be read or has more than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = SIZE_MAX);

/// A text of at most kMaxTextFile bytes, without the byte order mark that spreadsheets and editors
/// put in front, and with line feeds where it has carriage returns alone. Throws as `read_file`
/// does, and where the text is UTF-16 or UTF-32.
std::string read_text(const std::filesystem::path& path);

/// Throws `Error`, led by the file, when there is none at `path`, or none that can be read: a
/// folder, a link that leads nowhere.
void check_readable(const std::filesystem::path& path);

/// Throws `Error`, led by `name`, when `bytes` are what Git LFS puts in place of a large file.
void check_fetched(std::string_view bytes, const std::string& name);

/// Creates a folder and its parents, which a power cut then does not take. Returns those that were
/// missing, the outermost first. Throws `Error` with the system's reason, or where it is a link
/// that leads nowhere.
std::vector<std::filesystem::path> make_folder(const std::filesystem::path& path);

/// Where `path` lies: its parent, "." for a name alone.
std::filesystem::path folder_of(const std::filesystem::path& path);

/// Without the slash that a folder's name may end in.
std::filesystem::path without_slash(const std::filesystem::path& path);

/// Throws the `Error` for a file that holds more than there is memory for.
[[noreturn]] void fail_memory(const std::filesystem::path& path);

/// What `action` returns. An `Error` from it gets the name of the file that it reads in front.
template <class Action>
auto in_file(const std::filesystem::path& path, Action&& action) -> decltype(action()) {
  try {
    return action();
  } catch (const Error& error) {
    fail("{}: {}", path.string(), error.what());
  }
}

/// What `action` returns, which reads the file. Throws `Error` naming it when there is no memory
/// for what it holds.
template <class Action>
auto with_memory_for(const std::filesystem::path& path, Action&& action) -> decltype(action()) {
  try {
    return action();
  } catch (const std::bad_alloc&) {
    fail_memory(path);
  }
}

/// Whether an open file is still what lies under `path`.
bool lies_at(int descriptor, const std::filesystem::path& path);

/// Throws the `WriteError` for a file that could not be written, with the system's reason.
[[noreturn]] void fail_write(const std::filesystem::path& path, int error);

}  // namespace glia
