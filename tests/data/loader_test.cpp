#include "engine/data/loader.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "engine/base/check.h"
#include "engine/formats/npy.h"
#include "tests/catch.h"
#include "tests/temp_folder.h"

using namespace glia;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kRows = 4, kColumns = 6;

/// Slice i holds i + 1 in its first pixel, and its mask is 1 in the first i pixels.
std::vector<Sample> write_slices(const fs::path& folder, std::int64_t count,
                                 std::int64_t height = kRows) {
  std::vector<Sample> samples;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto id = std::to_string(i);
    std::vector<float> image(static_cast<std::size_t>(height * kColumns * 3), 0.5f);
    image[0] = static_cast<float>(i + 1);
    std::vector<std::uint8_t> mask(static_cast<std::size_t>(height * kColumns), 0);
    std::fill_n(mask.begin(), i, std::uint8_t{1});
    samples.push_back({id, folder / (id + "_img.npy"), folder / (id + "_seg.npy")});
    write_npy<float>(samples.back().image, {height, kColumns, 3}, image);
    write_npy<std::uint8_t>(samples.back().mask, {height, kColumns}, mask);
  }
  return samples;
}

LoaderConfig make_config(int threads) {
  LoaderConfig config;
  config.batch_size = 3;
  config.seed = 7;
  config.shuffle = true;
  config.threads = threads;
  return config;
}

std::vector<Batch> rest_of(Loader& loader) {
  std::vector<Batch> batches;
  for (Batch batch; loader.next(batch);) batches.push_back(batch);
  return batches;
}

std::vector<Batch> epoch_of(Loader& loader, std::int64_t epoch, std::int64_t first = 0) {
  loader.begin_epoch(epoch, first);
  return rest_of(loader);
}

bool same(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Batch& x, const Batch& y) {
    return x.size == y.size && x.images == y.images && x.masks == y.masks &&
           x.indices == y.indices && x.ids == y.ids;
  });
}

std::vector<std::int64_t> indices_of(const std::vector<Batch>& batches) {
  std::vector<std::int64_t> indices;
  for (const Batch& batch : batches)
    indices.insert(indices.end(), batch.indices.begin(), batch.indices.end());
  return indices;
}

}  // namespace

TEST_CASE("loader: a batch holds its slices one after another") {
  const TempFolder folder;
  LoaderConfig config = make_config(0);
  config.shuffle = false;
  Loader loader(write_slices(folder.path(), 5), {}, config);
  CHECK(loader.batches_per_epoch() == 2);
  const auto batches = epoch_of(loader, 0);
  REQUIRE(batches.size() == 2);
  CHECK(batches[0].size == 3);
  const Batch& last = batches[1];
  CHECK(last.size == 2);
  CHECK(last.ids == std::vector<std::string>{"3", "4"});
  REQUIRE(last.images.size() == 2 * kRows * kColumns * 3);
  REQUIRE(last.masks.size() == 2 * kRows * kColumns);
  CHECK(last.images[0] == 4.0f);
  CHECK(last.images[kRows * kColumns * 3] == 5.0f);
  CHECK(std::count(last.masks.begin(), last.masks.end(), 1.0f) == 3 + 4);
}

TEST_CASE("loader: order and content do not depend on threads or prefetch") {
  const TempFolder folder;
  const auto samples = write_slices(folder.path(), 17);
  LoaderConfig config = make_config(0);
  config.augment = AugmentConfig::parse("noise=0.1,flip,rotate=20");
  Preprocess preprocess;
  preprocess.normalize = Preprocess::Normalize::slice;
  Loader plain(samples, preprocess, config);
  const auto first = epoch_of(plain, 0), second = epoch_of(plain, 1);
  REQUIRE(first.size() == 6);
  CHECK_FALSE(same(first, second));
  for (const int threads : {1, 2, 5})
    for (const int prefetch : {1, 4, 100}) {
      config.threads = threads;
      config.prefetch = prefetch;
      Loader loader(samples, preprocess, config);
      CHECK(same(epoch_of(loader, 0), first));
      CHECK(same(epoch_of(loader, 1), second));
    }
}

TEST_CASE("loader: shuffling is a permutation that differs by epoch and seed") {
  const TempFolder folder;
  const auto samples = write_slices(folder.path(), 17);
  LoaderConfig config = make_config(2);
  Loader loader(samples, {}, config);
  const auto zero = indices_of(epoch_of(loader, 0)), one = indices_of(epoch_of(loader, 1));
  CHECK(std::set<std::int64_t>(zero.begin(), zero.end()).size() == 17);
  CHECK(zero.size() == 17);
  CHECK(zero != one);
  CHECK_FALSE(std::is_sorted(zero.begin(), zero.end()));
  config.seed = 8;
  Loader other(samples, {}, config);
  CHECK(indices_of(epoch_of(other, 0)) != zero);
}

TEST_CASE("loader: resuming at a batch gives the remaining batches, bit for bit") {
  const TempFolder folder;
  const auto samples = write_slices(folder.path(), 17);
  for (const int threads : {0, 2}) {
    LoaderConfig config = make_config(threads);
    config.augment = AugmentConfig::parse("noise=0.1,scale=0.2");
    Loader loader(samples, {}, config), resumed(samples, {}, config);
    const auto whole = epoch_of(loader, 4);
    for (std::int64_t first : {0, 2, 5, 6})
      CHECK(same(epoch_of(resumed, 4, first), {whole.begin() + first, whole.end()}));
    CHECK_THROWS_WITH(resumed.begin_epoch(4, 7), ContainsSubstring("batch 7 of an epoch of 6"));
  }
}

TEST_CASE("loader: an epoch may be broken off and another begun") {
  const TempFolder folder;
  LoaderConfig config = make_config(3);
  config.prefetch = 3;
  Loader loader(write_slices(folder.path(), 17), {}, config);
  const auto whole = epoch_of(loader, 1);
  for (int i = 0; i < 50; ++i) {
    loader.begin_epoch(0);
    Batch batch;
    REQUIRE(loader.next(batch));
    REQUIRE(same(epoch_of(loader, 1), whole));
  }
}

TEST_CASE("loader: a worker's error arrives once and ends the epoch") {
  const TempFolder folder;
  const auto samples = write_slices(folder.path(), 12);
  for (const int threads : {0, 3}) {
    write_slices(folder.path(), 12);
    LoaderConfig config = make_config(threads);
    config.shuffle = false;
    Loader loader(samples, {}, config);
    const fs::path aside = folder.path() / "aside";
    fs::rename(samples[4].image, aside);
    loader.begin_epoch(0);
    Batch batch;
    CHECK(loader.next(batch));
    CHECK_THROWS_WITH(loader.next(batch), ContainsSubstring("4_img.npy"));
    CHECK_FALSE(loader.next(batch));
    fs::rename(aside, samples[4].image);
    CHECK(epoch_of(loader, 0).size() == 4);
  }
}

TEST_CASE("loader: a file that changes its size after the start is refused") {
  const TempFolder folder;
  const auto samples = write_slices(folder.path(), 3);
  Loader loader(samples, {}, make_config(1));
  write_slices(folder.path(), 3, kRows + 1);
  loader.begin_epoch(0);
  Batch batch;
  CHECK_THROWS_WITH(loader.next(batch), ContainsSubstring("size 5x6x3, expected 4x6x3"));
}

TEST_CASE("loader: more threads come where batches are waited for, and change nothing") {
  const TempFolder folder;
  const auto samples = write_slices(folder.path(), 20);
  LoaderConfig config = make_config(1);
  Loader one(samples, {}, config);
  config.threads = {1, 3};
  Loader grows(samples, {}, config);
  CHECK(grows.threads() == 1);
  for (std::int64_t epoch = 0; epoch < 10; ++epoch)
    CHECK(same(epoch_of(one, epoch), epoch_of(grows, epoch)));
  CHECK(one.threads() == 1);
  CHECK(grows.threads() == 3);
}

TEST_CASE("loader: more threads are for waits that are a part of the time") {
  using Seconds = WaitShare::Duration;
  const auto window = [](WaitShare& share, double waited) {
    bool too_long = false;
    for (int i = 0; i < WaitShare::kBatches; ++i) {
      CHECK_FALSE(too_long);
      too_long = share.note(Seconds(waited), Seconds(1));
    }
    return too_long;
  };
  WaitShare share;
  CHECK_FALSE(window(share, 0));
  CHECK_FALSE(window(share, 0.04));
  CHECK(window(share, 0.06));
  CHECK_FALSE(window(share, 0.04));  // each window begins anew
}

TEST_CASE("loader: it can be destroyed at any time") {
  const TempFolder folder;
  const auto samples = write_slices(folder.path(), 12);
  for (int taken = 0; taken < 4; ++taken) {
    Loader loader(samples, {}, make_config(4));
    if (taken == 0) continue;
    loader.begin_epoch(0);
    Batch batch;
    for (int i = 1; i < taken; ++i) CHECK(loader.next(batch));
  }
}

TEST_CASE("loader: before an epoch begins there are no batches") {
  const TempFolder folder;
  Loader loader(write_slices(folder.path(), 3), {}, make_config(2));
  Batch batch;
  CHECK_FALSE(loader.next(batch));
}

TEST_CASE("loader: drop_last leaves out the last batch, but never all of them") {
  const TempFolder folder;
  const auto samples = write_slices(folder.path(), 5);
  LoaderConfig config = make_config(0);
  config.drop_last = true;
  Loader loader(samples, {}, config);
  CHECK(loader.batches_per_epoch() == 1);
  CHECK(epoch_of(loader, 0).size() == 1);
  config.batch_size = 6;
  CHECK_THROWS_WITH(Loader(samples, {}, config),
                    ContainsSubstring("batch size 6 but only 5 slices"));
  config.drop_last = false;
  Loader single(samples, {}, config);
  CHECK(epoch_of(single, 0).front().size == 5);
}

TEST_CASE("loader: what cannot make batches is refused at the start") {
  const TempFolder folder;
  auto samples = write_slices(folder.path(), 2);
  CHECK_THROWS_WITH(Loader({}, {}, {}), ContainsSubstring("no slices"));
  write_npy<float>(samples[1].image, {2, 3, 1}, std::vector<float>(6));
  CHECK_THROWS_WITH(Loader(samples, {}, {}),
                    ContainsSubstring("1_img.npy: size 2x3x1, expected 4x6x3"));
  samples[1].mask.clear();
  CHECK_THROWS_WITH(Loader(samples, {}, {}), ContainsSubstring("1_img.npy: has no mask"));
  LoaderConfig config;
  config.batch_size = 0;
  CHECK_THROWS_WITH(Loader(samples, {}, config), ContainsSubstring("batch size 0"));
}

TEST_CASE("loader: a file that is written again meanwhile is named", "[loader]") {
  const TempFolder folder;
  const auto samples = write_slices(folder.path(), 3);
  LoaderConfig config = make_config(0);
  config.shuffle = false;
  Loader loader(samples, {}, config);
  CHECK(epoch_of(loader, 0).size() == 1);
  const auto before = fs::last_write_time(samples[1].mask);
  fs::last_write_time(samples[1].mask, before + std::chrono::seconds(1));
  CHECK_THROWS_WITH(epoch_of(loader, 1),
                    ContainsSubstring("1_img.npy: it or its mask was written again"));
  fs::last_write_time(samples[1].mask, before);
  CHECK(epoch_of(loader, 1).size() == 1);
}
