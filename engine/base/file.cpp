#include "engine/base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "engine/base/check.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

/// Removes the temporary file unless it was renamed.
struct Temporary {
  fs::path path;
  int descriptor = -1;
  bool kept = false;
  ~Temporary() {
    if (descriptor >= 0) ::close(descriptor);
    if (!kept) ::unlink(path.c_str());
  }
};

[[noreturn]] void fail_write(const fs::path& path, int error) {
  fail("{}: cannot write: {}; free space or choose another place, nothing there was changed",
       path.string(), std::strerror(error));
}

void write_all(int descriptor, std::string_view part, const fs::path& path) {
  while (!part.empty()) {
    const ssize_t written = ::write(descriptor, part.data(), part.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_write(path, errno);
    part.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void write_file_atomically(const fs::path& path, std::span<const std::string_view> parts,
                           bool flush) {
  Temporary temporary{.path = path.string() + ".part" + std::to_string(::getpid())};
  temporary.descriptor =
      ::open(temporary.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (temporary.descriptor < 0) fail_write(path, errno);
  for (std::string_view part : parts) write_all(temporary.descriptor, part, path);
  if (flush && ::fsync(temporary.descriptor) != 0) fail_write(path, errno);
  if (::rename(temporary.path.c_str(), path.c_str()) != 0) fail_write(path, errno);
  temporary.kept = true;
  if (!flush) return;
  // The rename itself must survive a power cut too. Not every file system can sync a folder.
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) {
    ::fsync(descriptor);
    ::close(descriptor);
  }
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_file_atomically(path, std::span<const std::string_view>(&content, 1));
}

void sync_folder(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail_write(path, errno);
  const int status = ::syncfs(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (status != 0) fail_write(path, error);
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  check(in.good() && !fs::is_directory(path), "{}: cannot read: {}", path.string(),
        fs::exists(path) ? "not a readable file" : "no such file");
  std::string content(static_cast<std::size_t>(in.tellg()), '\0');
  in.seekg(0);
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  check(in.good(), "{}: cannot be read to its end", path.string());
  return content;
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  check(!error, "{}: cannot create the folder: {}", path.string(), error.message());
}

}  // namespace glia
