#include "apps/study/lines.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace glia {

Lines::Got Lines::next(std::string& line, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    if (const auto feed = unread_.find('\n'); feed != std::string::npos) {
      line = unread_.substr(0, feed);
      unread_.erase(0, feed + 1);
      return Got::line;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd waiting{.fd = file_, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waiting, 1, std::max(0, static_cast<int>(left.count())));
    if (ready == 0) return Got::nothing;
    if (ready < 0 && errno == EINTR) return Got::nothing;
    char buffer[4096];
    const ssize_t count = ::read(file_, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Got::end;
    unread_.append(buffer, static_cast<std::size_t>(count));
  }
}

}  // namespace glia
