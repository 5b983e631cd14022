#include "engine/base/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/file.h"

namespace glia {

namespace {

/// "process 17 on alpha". In containers the number alone says nothing.
std::string this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("process {} on {}", ::getpid(), host.data());
}

/// What the holder wrote; it may not have come to that yet.
std::string holder_of(int descriptor) {
  std::array<char, 300> text{};
  const ssize_t length = ::pread(descriptor, text.data(), text.size(), 0);
  std::string holder(text.data(), static_cast<std::size_t>(length > 0 ? length : 0));
  while (holder.ends_with('\n')) holder.pop_back();
  return holder.empty() ? "another glia" : fmt::format("another glia ({})", holder);
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& path) {
  do {
    if (descriptor_ >= 0) ::close(descriptor_);
    // Not O_CLOEXEC: a child that still works when its parent was killed keeps the lock.
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT, 0666);
    if (descriptor_ < 0) fail_write(path, errno);
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) refuse(path, errno);
    // Whoever held it until now may have removed the file.
  } while (!lies_at(descriptor_, path));
  const std::string line = this_process() + "\n";
  // For a message only; a full disk is for whoever has something to write.
  if (::ftruncate(descriptor_, 0) == 0)
    static_cast<void>(::pwrite(descriptor_, line.data(), line.size(), 0) == 0);
}

void FolderLock::refuse(const std::filesystem::path& path, int error) {
  const std::string holder = holder_of(descriptor_), folder = folder_of(path).string();
  ::close(descriptor_);
  check(error == EWOULDBLOCK, "{}: cannot be locked: {}; choose a folder on another file system",
        folder, std::strerror(error));
  fail("{}: {} works in this folder; wait until it has ended", folder, holder);
}

FolderLock::~FolderLock() {
  ::close(descriptor_);
}

}  // namespace glia
