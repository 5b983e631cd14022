// The same shards give the same bits on any number of ranks.
#include "engine/train/shards.h"

#include "engine/comm/alone.h"
#include "engine/runtime/gpu_backends.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/scale/rank_steps.h"

using namespace glia;
using namespace glia::test;

namespace {

void check_same(const RankOutcome& a, const RankOutcome& b) {
  CHECK(a.same_everywhere);
  CHECK(b.same_everywhere);
  CHECK(a.losses == b.losses);
  CHECK(a.ious == b.ious);
  CHECK(a.weights == b.weights);
}

}  // namespace

TEST_CASE("shards: weights after 20 steps are the same bits on 1, 2 and 4 ranks", "[scale]") {
  const TestBatch batch(8);
  for (const char* loss : {"iou", "dice+0.5*bce"})
    for (const Region region : {Region::batch, Region::image}) {
      RankSettings settings{.loss = loss, .region = region, .steps = 20};
      settings.net.norm = nn::NormKind::group;
      settings.net.dropout = 0.2;
      CAPTURE(loss, name_of(region));
      const RankOutcome one = train_ranks(settings, batch, 1, 4);
      check_same(one, train_ranks(settings, batch, 2, 4));
      check_same(one, train_ranks(settings, batch, 4, 4));
      // Not so for another number of shards, or nothing was compared.
      CHECK(one.weights != train_ranks(settings, batch, 1, 2).weights);
    }
}

TEST_CASE("shards: of a batch norm, ranks give the same bits for any number of threads",
          "[scale][threads]") {
  const TestBatch batch(8);
  RankSettings settings{.loss = "iou+bce", .steps = 20};
  const RankOutcome four = train_ranks(settings, batch, 4);
  settings.threads = 2;
  check_same(four, train_ranks(settings, batch, 4));
}

TEST_CASE("shards: on the emulator the same bits too", "[scale]") {
  if (find_gpu_backend("emu") == nullptr) return;
  const TestBatch batch(4);
  RankSettings settings{.net = {.base_width = 4, .depth = 1, .norm = nn::NormKind::group},
                        .steps = 2,
                        .emulated = true};
  const RankOutcome one = train_ranks(settings, batch, 1, 4);
  check_same(one, train_ranks(settings, batch, 2, 4));
  check_same(one, train_ranks(settings, batch, 4, 4));
  settings.net.norm = nn::NormKind::batch;
  const RankOutcome two = train_ranks(settings, batch, 2);
  check_same(two, train_ranks(settings, batch, 2));
}

TEST_CASE("shards: what cannot be divided is refused", "[scale]") {
  const auto cpu = make_cpu_device(1);
  CHECK(Shards::of(*cpu, 0, 6).count == 1);
  CHECK(Shards::of(*cpu, 2, 6).in_turn == 2);
  CHECK(error_of([&] { Shards::of(*cpu, 3, 6); }) ==
        "--shards 3 on 1 ranks: expected 1, 2, 4, 8 ... shards a rank, which add up in the same "
        "order on any number of them; choose --ranks 3, or --shards 1 in a new run");
  CHECK(error_of([&] { Shards::of(*cpu, 4, 6); }) ==
        "--batch-size 6: a batch does not divide into 4 equal shards; choose a multiple of 4");
  // As the advice says.
  CHECK(Shards::of(*cpu, 4, 8).in_turn == 4);
  as_ranks(3, [](Communicator* ranks) {
    const auto device = rank_device({}, ranks);
    const Shards shards = Shards::of(*device, 3, 6);
    check(shards.in_turn == 1 && shards.first == ranks->rank(), "one shard a rank");
  });
}
