#include "engine/base/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "engine/base/check.h"
#include "engine/base/file.h"

namespace glia {

namespace {

constexpr std::string_view kProcess = "process ";

/// "process 17 on alpha". In containers the number alone says nothing.
std::string this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}{} on {}", kProcess, ::getpid(), host.data());
}

std::string content_of(int descriptor) {
  std::array<char, 300> text{};
  const ssize_t length = ::pread(descriptor, text.data(), text.size(), 0);
  return {text.data(), static_cast<std::size_t>(length > 0 ? length : 0)};
}

/// Whether a lock holds what `this_process` gave; its holder may not have come to that yet.
bool is_of_a_lock(const std::string& content) {
  return content.empty() ||
         (content.starts_with(kProcess) && content.find('\n') == content.size() - 1);
}

/// Opens the lock, which is made where there is none; -1 and an error number where that fails.
/// Throws `Error`, and changes nothing, where a link or another thing than a file is in its place:
/// what is written here must not end in whatever a link leads to.
int open_lock(const std::filesystem::path& path) {
  // Not O_CLOEXEC: a child that still works when its parent was killed keeps the lock.
  const int descriptor =
      ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0666);
  struct stat status {};
  const bool other = descriptor < 0 ? errno == ELOOP || errno == EISDIR || errno == ENXIO
                                    : ::fstat(descriptor, &status) == 0 && !S_ISREG(status.st_mode);
  if (!other) return descriptor;
  if (descriptor >= 0) ::close(descriptor);
  fail("{}: {}; move it elsewhere, or choose another folder", path.string(),
       std::filesystem::is_symlink(path) ? "a link in the place of Glia's lock"
                                         : "no file, in the place of Glia's lock");
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& path) {
  do {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = open_lock(path);
    if (descriptor_ < 0) fail_write(path, errno);
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) refuse(path, errno);
    // Whoever held it until now may have removed the file.
  } while (!lies_at(descriptor_, path));
  if (!is_of_a_lock(content_of(descriptor_))) {
    ::close(descriptor_);
    fail("{}: holds other text than Glia's lock; move it elsewhere, or choose another folder",
         path.string());
  }
  const std::string line = this_process() + "\n";
  // For a message only; a full disk is for whoever has something to write.
  if (::ftruncate(descriptor_, 0) == 0)
    static_cast<void>(::pwrite(descriptor_, line.data(), line.size(), 0) == 0);
}

void FolderLock::refuse(const std::filesystem::path& path, int error) {
  std::string holder = content_of(descriptor_);
  const std::string folder = folder_of(path).string();
  ::close(descriptor_);
  check(error == EWOULDBLOCK, "{}: cannot be locked: {}; choose a folder on another file system",
        folder, std::strerror(error));
  if (holder.ends_with('\n')) holder.pop_back();
  fail("{}: another glia{} works in this folder; wait until it has ended", folder,
       holder.starts_with(kProcess) ? fmt::format(" ({})", holder) : "");
}

FolderLock::~FolderLock() {
  ::close(descriptor_);
}

}  // namespace glia
