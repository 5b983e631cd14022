#include "engine/base/temporary_name.h"

#include <sys/file.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/base/check.h"
#include "engine/base/file.h"

namespace glia {

namespace {

constexpr std::string_view kMark = ".glia-";
constexpr std::size_t kNumberLength = 16;  // of a random number, in hexadecimal
constexpr std::size_t kLongestName = 200;  // of the final name's; file systems take 255

}  // namespace

std::string temporary_name(const std::filesystem::path& target) {
  std::uint64_t number = 0;
  check(::getrandom(&number, sizeof number, 0) == sizeof number,
        "{}: no temporary name: the system has no random numbers: {}", target.string(),
        std::strerror(errno));
  return fmt::format(".{}{}{:0{}x}", target.filename().string().substr(0, kLongestName), kMark,
                     number, kNumberLength);
}

bool is_temporary_name(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with('.') || name.size() < 1 + kMark.size() + kNumberLength) return false;
  const std::string_view digits = std::string_view(name).substr(name.size() - kNumberLength);
  return std::string_view(name).substr(0, name.size() - kNumberLength).ends_with(kMark) &&
         digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool claim(int descriptor, const std::filesystem::path& path) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;
  return lies_at(descriptor, path);
}

}  // namespace glia
