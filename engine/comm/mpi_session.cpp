#include "engine/comm/mpi_session.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <limits>
#include <thread>

#include "engine/base/check.h"

namespace glia {

namespace {

using namespace std::chrono_literals;

/// Messages between ranks beside the collectives.
enum Tag : int {
  kReason = 1,  // I give up, and why
  kKnown,       // I have your reason, have said so, and end too
  kRoll,        // are you there?
  kHere,        // yes, in this call
};

/// In place of a call: has made all its calls, and comes to no other any more.
constexpr std::uint64_t kLeaves = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kLongestReason = 1000;
constexpr auto kRollTime = 2s;        // for answers to a roll call
constexpr auto kTellTime = 2s;        // for the others to learn why
constexpr auto kToldTime = 5s;        // for the one who gave up to end the job
constexpr unsigned kFinishTime = 10;  // seconds, for MPI_Finalize when all ranks have left
constexpr unsigned kAbortTime = 10;   // seconds; MPI_Abort asks a daemon that may be gone

double seconds(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

MpiSession::MpiSession(const GliaMpi& mpi, std::chrono::milliseconds limit, int expected)
    : mpi_(mpi), limit_(limit) {
  if (const char* said = mpi_.start(&rank_, &size_))
    fail("MPI: {} did not start: {}", mpi_.product, said);
  here_.resize(static_cast<std::size_t>(size_));
  knows_.resize(here_.size());
  check(expected == 0 || size_ == expected,
        "MPI: {} ranks were started, but {} sees {}: it is not the MPI that started them; start "
        "them with the command of {}",
        expected, mpi_.product, size_, mpi_.product);
}

void MpiSession::require(const char* said) {
  if (!said) return;
  give_up(fmt::format("{}: {}", mpi_.product, said));
  throw Error(reason_);
}

void MpiSession::begin_call() {
  if (!failed()) listen();
  check(!failed(), "{}", reason_);
  ++call_;
  call_began_ = Clock::now();
  rolling_ = false;
}

void MpiSession::wait(Begun begun, Wait how) {
  require(begun);
  flowing_ = how == Wait::for_bytes;
  const auto wait_began = Clock::now();
  for (unsigned turn = 1;; ++turn) {
    int done = 0;
    require(mpi_.test(&done));
    if (done) break;
    const auto now = Clock::now();
    if (turn % 16 == 0 || now - wait_began > 100us) listen();
    // Where bytes flow all ranks are here, and another one may still read this one's memory: then
    // the next call throws.
    check(!failed() || flowing_, "{}", reason_);
    if (!rolling_ && now - call_began_ > limit_) call_roll();
    if (rolling_ && now > roll_ends_) too_late();
    pause(now - wait_began, how);
  }
  flowing_ = false;
}

/// Small calls between ranks that keep step take microseconds: no system call then. Beyond, ranks
/// may be more than cores. Sleep adds at most a sixteenth to what was waited.
void MpiSession::pause(Clock::duration waited, Wait how) {
  if (waited < 10us) return;
  if (waited < 100us || how == Wait::for_bytes)
    sched_yield();
  else
    std::this_thread::sleep_for(std::min<Clock::duration>(waited / 16, 1ms));
}

void MpiSession::listen() {
  for (;;) {
    char text[kLongestReason];
    int from = -1, tag = 0, bytes = 0;
    require(mpi_.hear(&from, &tag, text, sizeof text, &bytes));
    if (from < 0) return;
    hear(from, tag, {text, static_cast<std::size_t>(bytes)});
  }
}

void MpiSession::hear(int from, int tag, const std::string& text) {
  const auto other = static_cast<std::size_t>(from);
  switch (tag) {
    case kReason:
      unanswered_.push_back(from);
      if (reason_.empty()) reason_ = text;
      break;
    case kKnown: knows_[other] = true; break;
    case kRoll: {
      const std::uint64_t call = leaving_ ? kLeaves : call_;
      mpi_.tell(from, kHere, &call, sizeof call);
      break;
    }
    case kHere: std::memcpy(&here_[other], text.data(), sizeof(std::uint64_t)); break;
  }
}

void MpiSession::tell_others(int tag, const std::string& text) {
  for (int r = 0; r < size_; ++r)
    if (r != rank_) mpi_.tell(r, tag, text.data(), static_cast<int>(text.size()));
}

void MpiSession::call_roll() {
  rolling_ = true;
  // Who waits in a call knows best who is missing, so it is first to say so.
  roll_ends_ = Clock::now() + (leaving_ ? 2 : 1) * kRollTime;
  std::fill(here_.begin(), here_.end(), 0);
  tell_others(kRoll, "");
}

void MpiSession::too_late() {
  std::string missing;
  for (int r = 0; r < size_; ++r) {
    const std::uint64_t call = here_[static_cast<std::size_t>(r)];
    const bool here = leaving_ ? call == kLeaves : call >= call_ && call != kLeaves;
    if (r != rank_ && !here) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", r);
  }
  const std::string why = missing.empty()
                              ? fmt::format(
                                    "ranks: all came, but the network did not bring what they sent "
                                    "within {} s",
                                    seconds(limit_))
                              : fmt::format("ranks: {} did not come{} within {} s", missing,
                                            leaving_ ? " to the end" : "", seconds(limit_));
  give_up(why);
  throw Error(reason_);
}

void MpiSession::give_up(const std::string& why) noexcept {
  if (failed()) return;
  try {
    reason_ = why.substr(0, kLongestReason);
    mine_ = true;
    tell_others(kReason, reason_);
  } catch (const std::exception&) {  // no memory: the end of this process tells them
  }
}

bool MpiSession::leave() noexcept {
  try {
    begin_call();
    leaving_ = true;
    wait(mpi_.leave(), Wait::for_ranks);
    return true;
  } catch (const std::exception& error) {
    if (mine_) fmt::print(stderr, "glia: {}\n", error.what());
    return false;
  }
}

void MpiSession::end(int status) noexcept {
  if (getpid() != process_) return;  // a fork of this process ends
  const bool all_left = status == 0 && !failed() && leave();
  std::cout.flush();
  std::fflush(nullptr);
  if (!all_left) end_job();
  // All is done, on every rank; MPI_Finalize must not undo that.
  std::signal(SIGALRM, [](int) { _exit(0); });
  alarm(kFinishTime);
  mpi_.finish();
  alarm(0);
}

bool MpiSession::all_know() const {
  for (int r = 0; r < size_; ++r)
    if (r != rank_ && !knows_[static_cast<std::size_t>(r)]) return false;
  return true;
}

void MpiSession::end_job() noexcept {
  // MPI may hang too; then the signal ends this process, and its end the others.
  std::signal(SIGALRM, SIG_DFL);
  alarm(kAbortTime);
  try {
    if (!failed()) give_up(fmt::format("rank {} ended before its work was done", rank_));
    const auto until = Clock::now() + (mine_ ? Clock::duration(kTellTime) : kToldTime);
    while (Clock::now() < until && !(mine_ && all_know())) {
      if (!flowing_) listen();
      for (const int r : unanswered_) mpi_.tell(r, kKnown, "", 0);
      unanswered_.clear();
      std::this_thread::sleep_for(1ms);
    }
  } catch (const std::exception&) {  // the job ends all the same
  }
  mpi_.abort(1);
  _exit(1);
}

}  // namespace glia
