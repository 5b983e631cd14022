#include "engine/base/streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace glia {

namespace {

void print_to(std::FILE* stream, std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stream);
  std::fputc('\n', stream);
  std::fflush(stream);
}

}  // namespace

void open_standard_streams() {
  int descriptor = 0;
  while (descriptor >= 0 && descriptor <= STDERR_FILENO)  // the smallest that is free
    descriptor = ::open("/dev/null", O_RDWR);
  if (descriptor > STDERR_FILENO) ::close(descriptor);
}

bool finish_standard_streams() {
  // std::cout and std::cerr have no buffers of their own.
  const bool flushed = std::fflush(stdout) == 0;
  const std::string reason = flushed ? "" : std::string(": ") + std::strerror(errno);
  const bool printed = flushed && std::ferror(stdout) == 0;
  if (!printed)
    std::fprintf(stderr,
                 "glia: standard output: cannot write%s; not all that was printed is there\n",
                 reason.c_str());
  return printed && std::fflush(stderr) == 0 && std::ferror(stderr) == 0;
}

void print_line(std::string_view line) {
  print_to(stdout, line);
}

void print_note(std::string_view line) {
  print_to(stderr, line);
}

}  // namespace glia
