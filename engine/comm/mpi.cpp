#include "engine/comm/mpi.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <vector>

#include "engine/base/check.h"
#include "engine/comm/mpi_library.h"
#include "engine/comm/mpi_session.h"

namespace glia {

namespace {

/// Up to here a call goes through memory of the session, which outlives a call that throws while
/// MPI still has it.
constexpr std::size_t kSmall = 65536;

/// One a process, and it stays until the end: MPI may write there after an error.
struct Process {
  MpiSession session;
  std::vector<char> sent = std::vector<char>(kSmall), received = std::vector<char>(kSmall);
};
Process* process = nullptr;

class MpiRank final : public Communicator {
 public:
  explicit MpiRank(std::size_t largest)
      : mpi_(session().mpi()),
        largest_(std::min(largest, static_cast<std::size_t>(std::numeric_limits<int>::max()) /
                                       static_cast<std::size_t>(session().size()))) {}

  ~MpiRank() override {
    // Somebody may still wait for what this rank will not send.
    if (std::uncaught_exceptions() > unwinding_)
      session().give_up(fmt::format("rank {} failed", rank()));
  }

  int rank() const override { return session().rank(); }
  int size() const override { return session().size(); }

  void gather(const void* mine, void* all, std::size_t bytes) override {
    move(mpi_.gather, {mine, bytes}, {all, bytes * blocks()}, bytes);
  }

  void exchange(const void* parts, void* received, std::size_t bytes) override {
    move(mpi_.exchange, {parts, bytes * blocks()}, {received, bytes * blocks()}, bytes);
  }

  void broadcast(void* data, std::size_t bytes) override {
    session().begin_call();
    session().wait(mpi_.arrive(), Wait::for_ranks);
    in_pieces(mpi_.broadcast, nullptr, data, bytes);
  }

  void abort(const std::string& why) noexcept override {
    try {
      session().give_up(fmt::format("rank {}: {}", rank(), why));
    } catch (const std::exception&) {  // no memory: the end of this process tells them
    }
  }

 private:
  using Collective = const char* (*)(const void*, void*, GliaMpiPiece);
  template <class Pointer>
  struct Memory {
    Pointer data;
    std::size_t bytes;
  };

  static MpiSession& session() { return process->session; }
  std::size_t blocks() const { return static_cast<std::size_t>(size()); }

  void move(Collective collective, Memory<const void*> from, Memory<void*> to, std::size_t block) {
    session().begin_call();
    if (block == 0 || to.bytes > kSmall) session().wait(mpi_.arrive(), Wait::for_ranks);
    if (block == 0) return;
    if (to.bytes > kSmall) return in_pieces(collective, from.data, to.data, block);
    std::memcpy(process->sent.data(), from.data, from.bytes);
    session().wait(
        collective(process->sent.data(), process->received.data(), {block, 0, int(block)}),
        Wait::for_ranks);
    std::memcpy(to.data, process->received.data(), to.bytes);
  }

  /// All ranks are here.
  void in_pieces(Collective collective, const void* from, void* to, std::size_t block) {
    for (std::size_t begin = 0; begin < block; begin += largest_) {
      const int length = static_cast<int>(std::min(largest_, block - begin));
      session().wait(collective(from, to, {block, begin, length}), Wait::for_bytes);
    }
  }

  const GliaMpi& mpi_;
  std::size_t largest_;
  int unwinding_ = std::uncaught_exceptions();
};

}  // namespace

std::unique_ptr<Communicator> open_mpi(const MpiLaunch& launch, std::chrono::milliseconds limit,
                                       std::size_t largest) {
  check(process == nullptr, "MPI: opened twice; MPI starts and ends once a process");
  check(largest >= 1, "MPI: messages of {} bytes, expected 1 or more", largest);
  process = new Process{MpiSession(load_mpi(launch), limit, launch.ranks)};
  on_exit([](int status, void*) { process->session.end(status); }, nullptr);
  return std::make_unique<MpiRank>(largest);
}

}  // namespace glia
