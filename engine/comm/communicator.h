// What the ranks of a data-parallel training say to each other. It moves bytes and nothing else:
// who sums, and in what order, is said by whoever calls it (engine/ops/shards.h), so that results
// do not depend on what moves the bytes. Every rank makes the same calls in the same order.
#pragma once

#include <cstddef>
#include <string>

namespace glia {

/// Memory is the host's. Every call but `abort` waits for the other ranks, and throws `Error`
/// naming the rank and its reason when one of them has given up, or the ranks that are missing when
/// they have not come within the time limit. After that the communicator is of no use any more.
class Communicator {
 public:
  virtual ~Communicator() = default;

  /// This one's number, from 0, and how many there are.
  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// `all` [size][bytes] gets what each rank has in `mine`, in the order of ranks.
  virtual void gather(const void* mine, void* all, std::size_t bytes) = 0;
  /// Part p of `parts` [size][bytes] goes to rank p. `received` [size][bytes] gets the parts that
  /// the ranks have for this one, in the order of ranks.
  virtual void exchange(const void* parts, void* received, std::size_t bytes) = 0;
  /// `data` of rank 0 goes to all others.
  virtual void broadcast(void* data, std::size_t bytes) = 0;

  /// Tells the other ranks that this one gives up, and why: one sentence.
  virtual void abort(const std::string& why) noexcept = 0;

 protected:
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
};

}  // namespace glia
