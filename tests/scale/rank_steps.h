// Steps of a small network, its batch shared between ranks that are threads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/train/train_step.h"
#include "models/unet/unet.h"
#include "tests/models/test_batch.h"

namespace glia::test {

struct RankSettings {
  UNetConfig net = {.base_width = 4, .depth = 2};
  std::string loss = "iou";
  Region region = Region::batch;
  std::int64_t steps = 1;
  bool emulated = false;  // our GPU kernels
  int threads = 1;        // a rank, on the CPU
};

/// What the first rank has afterwards, and whether all others have the same weights.
struct RankOutcome {
  std::vector<std::vector<float>> weights, grads;  // a parameter each
  std::vector<double> losses, ious;                // a step each
  bool same_everywhere = true;
};

/// `shards` as --shards. Throws what a rank threw.
RankOutcome train_ranks(const RankSettings& settings, const TestBatch& batch, int ranks,
                        std::int64_t shards = 0);

/// Calls `work` as every rank at once; throws what the first to fail threw.
void as_ranks(int ranks, const std::function<void(Communicator*)>& work);

std::unique_ptr<Device> rank_device(const RankSettings& settings, Communicator* ranks);

}  // namespace glia::test
