#include "engine/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/part_file.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

void write_all(int descriptor, std::string_view part, const fs::path& path) {
  while (!part.empty()) {
    const ssize_t written = ::write(descriptor, part.data(), part.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_write(path, errno);
    part.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// A device, a pipe or what /dev/stdout leads to: nothing that a file could take the place of.
bool is_stream(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return !error && fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

void write_stream(const fs::path& path, std::span<const std::string_view> parts) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (descriptor < 0) fail_write(path, errno);
  try {
    for (std::string_view part : parts) write_all(descriptor, part, path);
  } catch (...) {
    ::close(descriptor);
    throw;
  }
  if (::close(descriptor) != 0) fail_write(path, errno);
}

/// UTF-16 or UTF-32 as iconv names them, by the mark at the start or by the null bytes beside the
/// first character, as Latin ones have; nothing for others.
const char* wide_encoding(std::string_view text) {
  using namespace std::string_view_literals;
  if (text.starts_with("\xFF\xFE\0\0"sv) || text.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (text.starts_with("\xFF\xFE"sv) || text.starts_with("\xFE\xFF"sv)) return "UTF-16";
  if (text.size() < 4) return nullptr;
  int nulls = 0;
  for (const char c : text.substr(0, 4)) nulls = nulls << 1 | (c == '\0' ? 1 : 0);
  switch (nulls) {
    case 0b0111: return "UTF-32LE";
    case 0b1110: return "UTF-32BE";
    case 0b0101: return "UTF-16LE";
    case 0b1010: return "UTF-16BE";
    default: return nullptr;
  }
}

/// What helps against an error of writing, besides another place.
const char* remedy_for(int error) {
  switch (error) {
    case EFBIG: return "raise the limit on the size of files (ulimit -f) or ";
    case ENOSPC:
    case EDQUOT: return "free space or ";
    case EACCES:
    case EPERM: return "change the permissions there or ";
    case ENOENT: return "make the folder first or ";
    case EEXIST: return "another program made it meanwhile; ";
    default: return "";
  }
}

}  // namespace

void fail_write(const fs::path& path, int error) {
  throw WriteError(
      fmt::format(
          "{}: cannot write: {}; {}choose another place, nothing under this name was changed",
          path.string(), std::strerror(error), remedy_for(error)),
      error);
}

bool lies_at(int descriptor, const fs::path& path) {
  struct stat open {
  }, named{};
  return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

fs::path without_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

void write_file_atomically(const fs::path& path, std::span<const std::string_view> parts,
                           bool flush, IfThere if_there) {
  if (is_stream(path)) return write_stream(path, parts);
  PartFile file(path);
  for (std::string_view part : parts) write_all(file.descriptor(), part, path);
  if (flush && ::fsync(file.descriptor()) != 0) fail_write(path, errno);
  file.publish(if_there);
  if (flush) sync_names(path.parent_path());  // the rename must survive a power cut too
}

void write_file_atomically(const fs::path& path, std::string_view content, IfThere if_there) {
  write_file_atomically(path, std::span<const std::string_view>(&content, 1), true, if_there);
}

fs::path through_links(const fs::path& path) {
  constexpr int kMostLinks = 40;  // in a row, as Linux has it
  fs::path end = path;
  std::error_code error;
  for (int i = 0; i < kMostLinks && fs::is_symlink(end, error); ++i)
    end = end.parent_path() / fs::read_symlink(end, error);
  return fs::is_symlink(end, error) ? path : end;
}

int open_to_append(const fs::path& path) {
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0666);
  check(descriptor >= 0 || errno != ELOOP,
        "{}: a link, which is not written through; remove it, or put the file in its place",
        path.string());
  if (descriptor < 0) fail_write(path, errno);
  return descriptor;
}

void append_to_file(const fs::path& path, std::string_view text) {
  const int descriptor = open_to_append(path);
  try {
    write_all(descriptor, text, path);
  } catch (...) {
    ::close(descriptor);
    throw;
  }
  if (::close(descriptor) != 0) fail_write(path, errno);
}

void sync_folder(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail_write(path, errno);
  const int status = ::syncfs(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (status != 0) fail_write(path, error);
}

void sync_names(const fs::path& folder) {
  const int descriptor =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

void check_readable(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_regular_file(status)) return;
  check(fs::exists(status) || !fs::is_symlink(fs::symlink_status(path, error)),
        "{}: a link to {}, which is not there; fetch the file (git annex get), or remove the link",
        path.string(), fs::read_symlink(path, error).string());
  check(fs::exists(status), "{}: cannot read: no such file", path.string());
  check(!fs::is_fifo(status),
        "{}: cannot read: a pipe, whose end cannot be known; write what comes from it into a file",
        path.string());
  fail("{}: cannot read: {}; expected a file", path.string(),
       fs::is_directory(status) ? "a folder" : "no regular file");
}

void check_fetched(std::string_view bytes, const std::string& name) {
  constexpr std::size_t kFirstLine = 100;
  const std::string_view line = bytes.substr(0, std::min(bytes.find('\n'), kFirstLine));
  check(!line.starts_with("version ") || line.find("git-lfs") == std::string_view::npos,
        "{}: a pointer of Git LFS in place of the file; fetch it with: git lfs install && git lfs "
        "pull",
        name);
  // Of an unlocked file, or a link that lies there as a text.
  check(!line.starts_with("/annex/objects/") &&
            line.find(".git/annex/objects/") == std::string_view::npos,
        "{}: a pointer of git-annex in place of the file; fetch it with: git annex get", name);
}

std::string read_file(const fs::path& path, std::size_t limit) {
  check_readable(path);
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  check(in.good(), "{}: cannot read: {}; check its permissions", path.string(),
        std::strerror(errno));
  const auto size = static_cast<std::size_t>(in.tellg());
  check(size <= limit,
        "{}: {} bytes, more than the {} that Glia reads of such a file; is it the right one?",
        path.string(), size, limit);
  std::string content = with_memory_for(path, [&] { return std::string(size, '\0'); });
  in.seekg(0);
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  check(in.good(), "{}: cannot be read to its end", path.string());
  check_fetched(content, path.string());
  return content;
}

std::string read_text(const fs::path& path) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::string text = read_file(path, kMaxTextFile);
  const char* const encoding = wide_encoding(text);
  check(encoding == nullptr,
        "{}: is in {}, expected a text in UTF-8; save it as UTF-8, for example by iconv -f {} -t "
        "UTF-8",
        path.string(), encoding == nullptr ? "" : encoding, encoding == nullptr ? "" : encoding);
  check(text.find('\0') == std::string::npos,
        "{}: holds null bytes, expected a text in UTF-8; is it the right file?", path.string());
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  // Line ends of old Macs, which some spreadsheets still write.
  for (std::size_t i = text.find('\r'); i != std::string::npos; i = text.find('\r', i + 1))
    if (i + 1 == text.size() || text[i + 1] != '\n') text[i] = '\n';
  return text;
}

void fail_memory(const fs::path& path) {
  std::error_code ignored;
  const std::uintmax_t size = fs::file_size(path, ignored);
  fail(
      "{}: there is not enough memory for what this file of {:.0f} MiB holds; free some, raise the "
      "limit (ulimit -v, ulimit -d), or choose a smaller file",
      path.string(), static_cast<double>(ignored ? 0 : size) / (1 << 20));
}

std::vector<fs::path> make_folder(const fs::path& path) {
  std::error_code error;
  const fs::path link = without_slash(path);
  check(!fs::is_symlink(link, error) || fs::exists(link, error),
        "{}: a link to {}, which is not there; make that folder, or remove the link", path.string(),
        fs::read_symlink(link, error).string());
  std::vector<fs::path> missing;
  for (fs::path folder = path; !folder.empty() && !fs::exists(folder, error);
       folder = folder.parent_path())
    missing.insert(missing.begin(), folder);
  fs::create_directories(path, error);
  check(!error, "{}: cannot create the folder: {}", path.string(), error.message());
  for (const fs::path& folder : missing) sync_names(folder.parent_path());
  return missing;
}

}  // namespace glia
