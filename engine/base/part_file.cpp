#include "engine/base/part_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <mutex>
#include <set>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/temporary_name.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

/// True once a program and folder.
bool is_first(const fs::path& folder) {
  static std::mutex mutex;
  static std::set<fs::path> seen;
  const std::lock_guard lock(mutex);
  return seen.insert(folder).second;
}

/// Renames where nothing has the new name, in one step, or sets errno.
bool rename_to_new(const char* from, const char* to) {
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  // Not every file system can; a second name is as good.
  if (::link(from, to) != 0) return false;
  ::unlink(from);
  return true;
}

}  // namespace

PartFile::PartFile(const fs::path& target) : target_(target) {
  const fs::path folder = folder_of(target);
  if (is_first(folder)) remove_part_files(folder);
  for (;;) {
    path_ = folder / temporary_name(target);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno == EEXIST) continue;
    if (descriptor_ < 0) fail_write(target, errno);
    if (claim(descriptor_, path_)) return;
    ::close(descriptor_);
  }
}

PartFile::~PartFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
  ::close(descriptor_);
}

void PartFile::publish(IfThere if_there) {
  const char *from = path_.c_str(), *to = target_.c_str();
  const bool done =
      if_there == IfThere::replace ? std::rename(from, to) == 0 : rename_to_new(from, to);
  if (!done) fail_write(target_, errno);
  path_.clear();
}

void remove_part_files(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (!is_temporary_name(entry->path()) || !entry->is_regular_file(ignored)) continue;
    const int descriptor = ::open(entry->path().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) ::unlink(entry->path().c_str());
    ::close(descriptor);
  }
}

}  // namespace glia
