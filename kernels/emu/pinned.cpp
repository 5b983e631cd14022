#include "kernels/emu/pinned.h"

#include <execinfo.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ucontext.h>

#include "kernels/emu/places.h"
#include "kernels/emu/streams.h"

namespace glia::emu::pinned {
namespace {

using Address = std::uintptr_t;
constexpr std::size_t kEndPages = 4;

struct Watch {
  Extent extent;
  Doer doer;
  Address begin() const { return reinterpret_cast<Address>(extent.begin) & ~(page_bytes() - 1); }
  Address end() const {
    const Address last = reinterpret_cast<Address>(extent.begin) + extent.bytes - 1;
    return (last & ~(page_bytes() - 1)) + page_bytes();
  }
};

std::vector<Watch>& watches() {
  static auto& all = *new std::vector<Watch>;
  return all;
}
int g_open = 0;

void set_access(const Watch& watch, int access) {
  mprotect(reinterpret_cast<void*>(watch.begin()), watch.end() - watch.begin(), access);
}

/// Pages may belong to several copies: those that are written are closed last.
void close_pages() {
  for (const bool write : {false, true})
    for (const Watch& watch : watches())
      if (watch.extent.write == write) set_access(watch, write ? PROT_NONE : PROT_READ);
}
void open_pages() {
  for (const Watch& watch : watches()) set_access(watch, PROT_READ | PROT_WRITE);
}

/// Where the program was when the signal came, in this program's own code.
std::uint32_t interrupted_place(const ucontext_t& context) {
#if defined(__x86_64__)
  const auto* at = reinterpret_cast<const char*>(context.uc_mcontext.gregs[REG_RIP]);
  if (in_program(at)) return place_of(at + 1);  // as a return address, which is one further
  std::array<void*, 64> frames{};
  const int count = backtrace(frames.data(), static_cast<int>(frames.size()));
  bool after = false;
  for (int i = 0; i < count; ++i) {
    const void* frame = frames[static_cast<std::size_t>(i)];
    if (after && in_program(frame)) return place_of(frame);
    after = after || frame == at;
  }
#else
  static_cast<void>(context);
#endif
  return 0;
}

struct sigaction g_before;

void on_fault(int signal, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<Address>(info->si_addr);
  const auto found = std::find_if(watches().begin(), watches().end(), [&](const Watch& watch) {
    return address >= watch.begin() && address < watch.end();
  });
  if (found == watches().end()) {  // somebody else's fault: it comes again without us
    sigaction(signal, &g_before, nullptr);
    return;
  }
  const Watch watch = *found;
  const auto begin = reinterpret_cast<Address>(watch.extent.begin);
  open_pages();
  if (address >= begin && address < begin + watch.extent.bytes) {
    const auto& machine = *static_cast<const ucontext_t*>(context);
    keep_error(fmt::format(
        "emu: the host touches page-locked memory at {}, which {} {}; wait for the stream or for "
        "an event before",
        place_names({interrupted_place(machine)})[0], name_of(watch.doer),
        watch.extent.write ? "has not written yet" : "has not read yet"));
  } else {
    // Beside the copy's bytes on the same page, which is right: give that page up.
    watches().erase(found);
    close_pages();
    mprotect(reinterpret_cast<void*>(address & ~(page_bytes() - 1)), page_bytes(),
             PROT_READ | PROT_WRITE);
  }
}

/// Again before each copy: others, such as Catch in every test case, set handlers of their own.
void listen() {
  struct sigaction current {};
  sigaction(SIGSEGV, nullptr, &current);
  if ((current.sa_flags & SA_SIGINFO) && current.sa_sigaction == on_fault) return;
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  sigaction(SIGSEGV, &action, &g_before);
}

}  // namespace

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

void close(const Extent& extent, const Doer& doer) {
  if (extent.bytes == 0) return;
  listen();
  const Open open;
  // Opening a page again costs a fault: of a large copy only the two ends are closed.
  const std::size_t end_bytes = kEndPages * page_bytes();
  if (extent.bytes <= 2 * end_bytes) {
    watches().push_back({extent, doer});
    return;
  }
  watches().push_back({{extent.begin, end_bytes, extent.write}, doer});
  watches().push_back({{extent.begin + extent.bytes - end_bytes, end_bytes, extent.write}, doer});
}

void release(Point point) {
  std::erase_if(watches(), [&](const Watch& watch) {
    const bool over =
        watch.doer.point.stream == point.stream && watch.doer.point.number == point.number;
    if (over) set_access(watch, PROT_READ | PROT_WRITE);
    return over;
  });
}

void release_all() {
  open_pages();
  watches().clear();
}

Open::Open() {
  if (g_open++ == 0) open_pages();
}
Open::~Open() {
  if (--g_open == 0) close_pages();
}

}  // namespace glia::emu::pinned
