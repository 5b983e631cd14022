#include "engine/base/staging.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/temporary_name.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

int open_folder(const fs::path& folder) {
  return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/// Removes folders of Staging in `parent` that nobody holds.
void remove_remains(const fs::path& parent) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, ignored)) {
    if (!is_temporary_name(entry.path())) continue;
    const int descriptor = open_folder(entry.path());
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) fs::remove_all(entry.path(), ignored);
    ::close(descriptor);
  }
}

/// Why a folder could not be moved to its place.
[[noreturn]] void fail_publish(const fs::path& out, int error) {
  if (error == ENOTEMPTY || error == EEXIST || error == ENOTDIR)
    fail("{}: is there already; remove it or choose another place", out.string());
  fail("{}: cannot be put there: {}; free space or choose another place, nothing there was changed",
       out.string(), std::strerror(error));
}

}  // namespace

Staging::Staging(const fs::path& out) : out_(without_slash(out)) {
  const fs::path parent = folder_of(out_);
  made_ = make_folder(parent);
  remove_remains(parent);
  for (;;) {
    path_ = out_.parent_path() / temporary_name(out_);
    const bool made = ::mkdir(path_.c_str(), 0777) == 0;
    if (!made && errno == EEXIST) continue;
    check(made, "{}: cannot create a folder beside it: {}", out_.string(), std::strerror(errno));
    lock_ = open_folder(path_);
    if (lock_ < 0 && errno == ENOENT) continue;  // taken for remains, and gone
    check(lock_ >= 0, "{}: cannot open the folder made beside it: {}", out_.string(),
          std::strerror(errno));
    if (claim(lock_, path_)) return;
    ::close(lock_);
  }
}

Staging::~Staging() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder)
    fs::remove(*folder, ignored);  // only when it is empty
  if (lock_ >= 0) ::close(lock_);
}

void Staging::publish() {
  sync_folder(path_);
  // Over an empty folder, if there is one.
  if (::rename(path_.c_str(), out_.c_str()) != 0) fail_publish(out_, errno);
  made_.clear();
  sync_names(out_.parent_path());
}

void Staging::publish_over(std::span<const char* const> replaced) {
  for (const fs::directory_entry& entry : fs::directory_iterator(out_)) {
    const fs::path name = entry.path().filename();
    if (std::find(replaced.begin(), replaced.end(), name) != replaced.end()) continue;
    check(!entry.is_directory() || entry.is_symlink(),
          "{}: a folder that does not belong to what is replaced; move it elsewhere, or choose "
          "another --out",
          entry.path().string());
    std::error_code error;
    fs::create_hard_link(entry.path(), path_ / name, error);
    if (error) {
      error.clear();
      fs::copy(entry.path(), path_ / name, fs::copy_options::copy_symlinks, error);
    }
    check(!error, "{}: cannot be kept: {}; move it elsewhere, or choose another --out",
          entry.path().string(), error.message());
  }
  sync_folder(path_);
  // From here on path_ is what was replaced, and removed with this object.
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, out_.c_str(), RENAME_EXCHANGE) != 0) {
    check(errno != EINVAL && errno != ENOSYS && errno != EXDEV,
          "{}: this file system cannot swap two folders in one step; remove the folder first, or "
          "choose another --out",
          out_.string());
    fail_publish(out_, errno);
  }
  sync_names(out_.parent_path());
}

}  // namespace glia
