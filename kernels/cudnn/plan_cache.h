// A bounded cache of what is costly to build: the least recently used entry makes room for a new
// one. Independent of cuDNN, so that it is tested without a GPU (tests/cuda/plan_cache_test.cpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace glia::cudnn {

/// A plan, or in its place why there is none.
template <class Plan>
struct Built {
  std::unique_ptr<Plan> plan;
  std::string problem;
};

/// Failures that a builder returns are kept like plans: asking the library again at every step
/// would take milliseconds and end the same. What a builder throws (memory ran out, say) is
/// reported once and forgotten. Used by one thread at a time, like the workspace.
template <class Key, class Plan, class Hash = std::hash<Key>>
class PlanCache {
 public:
  explicit PlanCache(std::size_t capacity) : capacity_(std::max<std::size_t>(1, capacity)) {}
  PlanCache(const PlanCache&) = delete;
  PlanCache& operator=(const PlanCache&) = delete;

  /// The entry of `key`, made by `build() -> Built<Plan>` where there is none yet. The reference
  /// holds until the next call. Never throws: whatever goes wrong is the `problem` of the answer.
  template <class Build>
  const Built<Plan>& get(const Key& key, Build&& build) noexcept {
    try {
      if (const auto found = places_.find(key); found != places_.end()) {
        entries_.splice(entries_.begin(), entries_, found->second);
        ++hits_;
      } else {
        ++misses_;
        remember(key, build());
      }
      return entries_.front().built;
    } catch (const std::exception& error) {
      return refuse(error.what());
    } catch (...) {
      return refuse("failed without saying why");
    }
  }

  /// Calls `visit(const Built<Plan>&)`, the most recently used entry first.
  template <class Visit>
  void each(Visit&& visit) const {
    for (const Entry& entry : entries_) visit(entry.built);
  }

  std::size_t size() const { return entries_.size(); }
  std::size_t hits() const { return hits_; }
  std::size_t misses() const { return misses_; }
  std::size_t evictions() const { return evictions_; }

 private:
  struct Entry {
    Key key;
    Built<Plan> built;
  };

  void remember(const Key& key, Built<Plan> built) {
    entries_.push_front({key, std::move(built)});
    try {
      places_.emplace(key, entries_.begin());
    } catch (...) {
      entries_.pop_front();
      throw;
    }
    if (entries_.size() <= capacity_) return;
    places_.erase(entries_.back().key);
    entries_.pop_back();
    ++evictions_;
  }

  const Built<Plan>& refuse(const char* why) noexcept {
    refused_.plan.reset();
    try {
      refused_.problem = why;
    } catch (...) {
      refused_.problem = "out of memory";  // short enough to need none
    }
    return refused_;
  }

  std::size_t capacity_, hits_ = 0, misses_ = 0, evictions_ = 0;
  std::list<Entry> entries_;  // the most recently used first
  std::unordered_map<Key, typename std::list<Entry>::iterator, Hash> places_;
  Built<Plan> refused_;
};

}  // namespace glia::cudnn
