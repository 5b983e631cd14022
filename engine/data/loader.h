// Batches of slices, loaded ahead by worker threads. What a batch holds depends on (seed, epoch,
// batch) only: not on the number of threads, not on timing, not on where an epoch was resumed.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/data/augment.h"
#include "engine/data/dataset.h"
#include "engine/data/preprocess.h"
#include "engine/data/wait_share.h"

namespace glia {

/// What a batch brings besides the places of its slices.
enum class BatchContents {
  augmented,  // images and masks as the network sees them
  loaded,     // images and masks before augmentation, and what is drawn for it
  draws       // what is drawn alone: the slices lie where they are used
};

/// How many threads load batches ahead.
struct LoaderThreads {
  // NOLINTNEXTLINE(google-explicit-constructor): a number of threads is one that stays
  LoaderThreads(int fixed = 0, int at_most = 0) : first(fixed), most(at_most) {}
  /// One, and more where that is too slow, up to the cores of one of so many ranks.
  static LoaderThreads automatic(int ranks = 1);

  int first;  // 0: the thread that calls `next` loads
  int most;   // where more than `first`, a loader takes so many when batches come too late
};

struct LoaderConfig {
  std::int64_t batch_size = 6;
  std::uint64_t seed = 0;
  bool shuffle = false;
  bool drop_last = false;  // leave out a last batch that is not full
  AugmentConfig augment = {};
  BatchContents contents = BatchContents::augmented;
  LoaderThreads threads = {};
  int prefetch = 2;  // batches loaded ahead, at most; but one more than threads where that is more
  // Of each batch only part `part` of `parts` equal ones; or, with `stride`, of all batches only
  // every stride-th from `offset` on: what a rank loads.
  std::int64_t part = 0, parts = 1;
  std::int64_t offset = 0, stride = 1;
};

/// `size` slices in NHWC order.
struct Batch {
  std::int64_t size = 0, height = 0, width = 0, channels = 0;
  std::vector<float> images = {};          // [size, height, width, channels], or none
  std::vector<float> masks = {};           // [size, height, width, 1], in {0, 1}, or none
  std::vector<AugmentDraws> draws = {};    // one a slice, of its place in the samples; or none
  std::vector<std::int64_t> indices = {};  // places in the samples the loader was made with
  std::vector<std::string> ids = {};
};

class Loader {
 public:
  /// Reads every image's header. Throws `Error` when sizes differ, a mask is missing, there are no
  /// samples, or `drop_last` would leave no batch.
  Loader(std::vector<Sample> samples, Preprocess preprocess, LoaderConfig config);
  /// Stops and joins the workers, whatever they are doing.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Batches that `threads` load ahead, at most.
  static std::int64_t batches_ahead(int threads, int prefetch = LoaderConfig().prefetch) {
    return std::max(prefetch, threads + 1);
  }
  /// Threads that load; to be called from the thread that calls `next`.
  int threads() const { return static_cast<int>(workers_.size()); }
  /// Of all ranks.
  std::int64_t batches_per_epoch() const { return batches_; }
  const std::vector<Sample>& samples() const { return samples_; }
  std::int64_t batch_size() const { return config_.batch_size; }
  /// Slices of batch `number`.
  std::size_t size_of(std::int64_t number) const {
    return static_cast<std::size_t>(
        std::min(config_.batch_size, slices() - number * config_.batch_size));
  }
  std::int64_t slices() const { return static_cast<std::int64_t>(samples_.size()); }
  std::int64_t height() const { return height_; }
  std::int64_t width() const { return width_; }
  std::int64_t channels() const { return channels_; }

  /// Starts `epoch` at `first_batch`, leaving out those before it; also in mid-epoch. The first
  /// call of `next` has to come after this.
  void begin_epoch(std::int64_t epoch, std::int64_t first_batch = 0);

  /// Fills `batch` and returns true, or returns false at the end of the epoch. An exception met
  /// while loading is thrown here once, in place of its batch, and ends the epoch. To be called
  /// from one thread.
  bool next(Batch& batch);

 private:
  using Order = std::vector<std::int64_t>;  // indices of samples
  struct Result {
    Batch batch;
    std::exception_ptr error;
  };

  /// What tells, without reading a file, that it is another one than before.
  struct FileState {
    std::uintmax_t bytes = 0;
    std::filesystem::file_time_type written = {};
    bool operator==(const FileState&) const = default;
    static FileState of(const std::filesystem::path& file);
  };
  struct SampleState {
    FileState image, mask;
    bool operator==(const SampleState&) const = default;
    static SampleState of(const Sample& sample);
  };

  void check_size(const Sample& sample, std::int64_t height, std::int64_t width,
                  std::int64_t channels) const;
  Batch load(std::int64_t epoch, std::int64_t number, const Order& order) const;
  /// Adds the slice, augmented by `draws` if that is the loader's work. Throws `Error` when a file
  /// of it changed since the loader was made.
  void add_slice(std::int64_t index, const AugmentDraws& draws, Batch& batch) const;
  Result try_load(std::int64_t epoch, std::int64_t number, const Order& order) const;
  void work(const std::stop_token& stop);
  void add_worker();
  /// Adds a thread where `next` waited too long over the last batches.
  void keep_up(WaitShare::Duration waited);

  const std::vector<Sample> samples_;
  std::vector<SampleState> states_;  // of the samples when the loader was made
  const Preprocess preprocess_;
  const LoaderConfig config_;
  std::int64_t batches_ = 0, height_ = 0, width_ = 0, channels_ = 0;

  std::mutex mutex_;  // guards all below
  std::condition_variable_any may_load_;
  std::condition_variable loaded_;
  std::shared_ptr<const Order> order_;
  std::map<std::int64_t, Result> ready_;  // by number of the batch
  std::int64_t epoch_ = 0;
  std::int64_t run_ = 0;        // counts calls of begin_epoch: what older runs load is thrown away
  std::int64_t next_load_ = 0;  // the batch that a worker takes next
  std::int64_t next_out_ = 0;   // the batch that next() hands out next
  std::int64_t end_ = 0;
  std::int64_t ahead_ = 0;  // batches loaded ahead, at most

  // Of the thread that calls `next` alone.
  WaitShare waits_;
  std::optional<std::chrono::steady_clock::time_point> last_;  // when the last batch came

  std::vector<std::jthread> workers_;  // last: joined before anything they use goes away
};

}  // namespace glia
