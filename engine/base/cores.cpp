#include "engine/base/cores.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace glia {

namespace {

// No constructor may run after `remember_cores`, so both are plain.
cpu_set_t given;
bool noted = false;

/// The system's own call: before `main`, a sanitizer's wrapper of the library's cannot be used.
bool read_mask(cpu_set_t& mask) noexcept {
  return ::syscall(SYS_sched_getaffinity, 0, sizeof mask, &mask) > 0;
}

}  // namespace

void remember_cores() noexcept {
  if (!noted) noted = read_mask(given);
}

int given_cores() {
  cpu_set_t mask{};
  if (noted) return std::max(1, CPU_COUNT(&given));
  return read_mask(mask) ? std::max(1, CPU_COUNT(&mask)) : 1;
}

void use_given_cores() noexcept {
  if (noted) ::sched_setaffinity(0, sizeof given, &given);
}

}  // namespace glia
