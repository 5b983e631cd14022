// Keeps two programs from working in one folder.
#pragma once

#include <filesystem>

namespace glia {

/// Held from the constructor to the end of the object, or of this process and the programs that it
/// started, however they end.
class FolderLock {
 public:
  /// Locks the file `path`, which is made and stays, and writes into it who holds it. Throws
  /// `Error` when another process does, naming it, when the file system has no locks, and when
  /// anything but a file that is empty or was a lock lies there: a link, somebody's text.
  explicit FolderLock(const std::filesystem::path& path);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  [[noreturn]] void refuse(const std::filesystem::path& path, int error);
  int descriptor_ = -1;
};

}  // namespace glia
