// A batch in equal shards: those of other ranks are computed beside, those of one rank in turn. All
// sums over shards are added up in one order (kernels/api/shards.h), so that the same shards give
// the same bits whoever computes them. docs/scale.md
#pragma once

#include <cstdint>
#include <vector>

#include "engine/nn/parameters.h"
#include "engine/train/loss.h"

namespace glia {

struct Shards {
  std::int64_t count = 1;    // of a batch
  std::int64_t in_turn = 1;  // of them, what one rank computes one after another
  std::int64_t first = 0;    // the number of this rank's first

  /// Of `count` shards (0: one a rank) those of a device's rank. Throws `Error` naming --shards
  /// where the ranks cannot share them, or the images of a batch do not divide among them.
  static Shards of(const Device& device, std::int64_t count, std::int64_t batch_size);
};

/// What the host learns of a shard's step, or of all.
struct ShardResult {
  double loss = 0;  // but for `own`
  double own = 0;   // what its images add each by itself
  Objective::BatchSums sums;

  /// Of those of all shards of all ranks, given this rank's. `whole_sums`: each has those of the
  /// whole batch already. Waits for the other ranks.
  static ShardResult of_batch(const Device& device, const std::vector<ShardResult>& mine,
                              bool whole_sums);
};

/// Adds up the gradients of a set, shard by shard and then over the ranks.
class GradientSum {
 public:
  /// Both must outlive it; the set must be allocated.
  GradientSum(Device& device, nn::ParameterSet& parameters, const Shards& shards);

  /// What the backward pass of shard `shard` of this rank has left in the gradients; after the last
  /// they are the sum of all.
  void add(std::int64_t shard);
  /// Then over the ranks: each adds up a part and gives it to the others.
  void over_ranks();

 private:
  Device& device_;
  nn::ParameterSet& parameters_;
  std::int64_t in_turn_;
  std::vector<Tensor> kept_;  // the sums of 1, 2, 4 ... shards that wait for as many others
  Tensor parts_;              // [ranks, n / ranks]: this rank's part of every rank's
};

}  // namespace glia
