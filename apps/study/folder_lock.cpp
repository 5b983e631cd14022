#include "apps/study/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/base/check.h"

namespace glia {

FolderLock::FolderLock(const std::filesystem::path& path) {
  // Not O_CLOEXEC: a child that still works when its parent was killed keeps the lock.
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT, 0666);
  check(descriptor_ >= 0, "{}: cannot write: {}", path.string(), std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(descriptor_);
  fail("{}: another glia works in this folder; wait until it has ended", path.string());
}

FolderLock::~FolderLock() {
  ::close(descriptor_);
}

}  // namespace glia
