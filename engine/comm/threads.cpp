#include "engine/comm/threads.h"

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>

#include "engine/base/check.h"

namespace glia {

namespace {

using Clock = std::chrono::steady_clock;

/// Where the ranks meet.
class Meeting {
 public:
  Meeting(int ranks, std::chrono::milliseconds limit)
      : limit_(limit), offers_(static_cast<std::size_t>(ranks)), here_(offers_.size()) {}

  int size() const { return static_cast<int>(offers_.size()); }
  /// What `rank` offered, until `leave`.
  const void* of(int rank) const { return offers_[static_cast<std::size_t>(rank)]; }

  /// Waits until every rank is here, each with its offer.
  void meet(int rank, const void* offer) {
    std::unique_lock lock(mutex_);
    check_alive();
    const auto me = static_cast<std::size_t>(rank);
    offers_[me] = offer;
    here_[me] = true;
    if (++arrived_ == offers_.size()) {
      arrived_ = 0;
      here_.assign(here_.size(), false);
      ++meetings_;
      reading_ = offers_.size();
      changed_.notify_all();
      return;
    }
    const auto before = meetings_;
    const bool in_time = changed_.wait_until(
        lock, Clock::now() + limit_, [&] { return meetings_ != before || !reason_.empty(); });
    if (meetings_ != before) return;
    if (!in_time && reason_.empty()) {
      reason_ = fmt::format("ranks: {} did not come within {} s", missing(),
                            std::chrono::duration<double>(limit_).count());
      changed_.notify_all();
    }
    check_alive();
  }

  /// Waits until every rank has read what it wanted: only then may what was offered change or go,
  /// even where somebody has given up meanwhile.
  void leave() {
    std::unique_lock lock(mutex_);
    if (--reading_ == 0) changed_.notify_all();
    changed_.wait(lock, [&] { return reading_ == 0; });
  }

  void give_up(int rank, const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (reason_.empty()) reason_ = fmt::format("rank {}: {}", rank, why);
    changed_.notify_all();
  }

 private:
  void check_alive() const { check(reason_.empty(), "{}", reason_); }
  std::string missing() const {
    std::string text;
    for (std::size_t i = 0; i < here_.size(); ++i)
      if (!here_[i]) text += fmt::format("{}{}", text.empty() ? "" : ", ", i);
    return text;
  }

  const std::chrono::milliseconds limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<const void*> offers_;  // of the ranks that are here
  std::vector<bool> here_;
  std::size_t arrived_ = 0, reading_ = 0, meetings_ = 0;
  std::string reason_;  // why one gave up
};

class ThreadRank final : public Communicator {
 public:
  ThreadRank(std::shared_ptr<Meeting> meeting, int rank)
      : meeting_(std::move(meeting)), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return meeting_->size(); }

  void gather(const void* mine, void* all, std::size_t bytes) override {
    meeting_->meet(rank_, mine);
    for (int r = 0; r < size(); ++r) copy(all, r, meeting_->of(r), 0, bytes);
    meeting_->leave();
  }

  void exchange(const void* parts, void* received, std::size_t bytes) override {
    meeting_->meet(rank_, parts);
    for (int r = 0; r < size(); ++r) copy(received, r, meeting_->of(r), rank_, bytes);
    meeting_->leave();
  }

  void broadcast(void* data, std::size_t bytes) override {
    meeting_->meet(rank_, data);
    if (rank_ != 0) copy(data, 0, meeting_->of(0), 0, bytes);
    meeting_->leave();
  }

  void abort(const std::string& why) noexcept override { meeting_->give_up(rank_, why); }

 private:
  /// Block `to_block` of `to` from block `from_block` of `from`.
  static void copy(void* to, int to_block, const void* from, int from_block, std::size_t bytes) {
    if (bytes == 0) return;
    std::memcpy(static_cast<std::byte*>(to) + static_cast<std::size_t>(to_block) * bytes,
                static_cast<const std::byte*>(from) + static_cast<std::size_t>(from_block) * bytes,
                bytes);
  }

  std::shared_ptr<Meeting> meeting_;
  int rank_;
};

}  // namespace

std::vector<std::unique_ptr<Communicator>> make_thread_ranks(int ranks,
                                                             std::chrono::milliseconds limit) {
  check(ranks >= 1, "ranks: found {}, expected 1 or more", ranks);
  const auto meeting = std::make_shared<Meeting>(ranks, limit);
  std::vector<std::unique_ptr<Communicator>> all;
  all.reserve(static_cast<std::size_t>(ranks));
  for (int r = 0; r < ranks; ++r) all.push_back(std::make_unique<ThreadRank>(meeting, r));
  return all;
}

}  // namespace glia
