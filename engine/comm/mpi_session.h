// What a process says to MPI, from MPI_Init to its end: waiting with a limit, who is missing, why
// one gave up.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/comm/mpi_module/mpi_module.h"

namespace glia {

/// How a rank waits. A rank that sleeps answers late; while bytes flow it would hold them up.
enum class Wait { for_ranks, for_bytes };

class MpiSession {
 public:
  using Clock = std::chrono::steady_clock;
  /// Begins one part of a call: what MPI said, or null.
  using Begun = const char*;

  /// Throws `Error` where MPI does not start, or the ranks are not `expected` (0: any).
  MpiSession(const GliaMpi& mpi, std::chrono::milliseconds limit, int expected);

  const GliaMpi& mpi() const { return mpi_; }
  int rank() const { return rank_; }
  int size() const { return size_; }

  /// A call begins: its time does, and it throws where somebody has given up.
  void begin_call();
  /// Until what was begun is done. Throws where a rank gave up, or the call's time is over.
  void wait(Begun begun, Wait how);

  /// Tells the others, the first time; they are told nothing more.
  void give_up(const std::string& why) noexcept;
  bool failed() const { return !reason_.empty(); }

  /// The process ends with this status. Where that is 0 and nobody has given up: waits for all
  /// ranks to come here, and ends MPI. Otherwise ends all ranks, with status 1, and does not
  /// return.
  void end(int status) noexcept;

 private:
  void require(const char* said);
  void listen();
  void hear(int from, int tag, const std::string& text);
  void tell_others(int tag, const std::string& text);
  void call_roll();
  bool leave() noexcept;
  [[noreturn]] void end_job() noexcept;
  [[noreturn]] void too_late();
  bool all_know() const;
  static void pause(Clock::duration waited, Wait how);

  const GliaMpi& mpi_;
  const std::chrono::milliseconds limit_;
  int rank_ = 0, size_ = 0;
  const pid_t process_ = getpid();
  std::uint64_t call_ = 0;  // which call this is, the same on every rank
  Clock::time_point call_began_, roll_ends_;
  bool rolling_ = false, leaving_ = false;
  bool flowing_ = false;             // MPI may still write to a caller's memory
  bool mine_ = false;                // the reason is this rank's
  std::vector<std::uint64_t> here_;  // in which call a rank was when it answered the roll
  std::vector<bool> knows_;          // has this rank's reason, and ends
  std::vector<int> unanswered_;      // who has told a reason
  std::string reason_;
};

}  // namespace glia
