#include "engine/data/loader.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/cores.h"
#include "engine/base/rng.h"
#include "engine/formats/npy.h"

namespace glia {
namespace {

constexpr std::uint64_t kOrderStream = std::uint64_t{1} << 63;  // away from augmentation's keys

std::vector<std::int64_t> order_of(std::size_t count, const LoaderConfig& config,
                                   std::int64_t epoch) {
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  if (config.shuffle) {
    Sequence sequence(config.seed, kOrderStream | static_cast<std::uint64_t>(epoch));
    shuffle(order, sequence);
  }
  return order;
}

}  // namespace

LoaderThreads LoaderThreads::automatic(int ranks) {
  constexpr int kMost = 8;  // each holds a batch
  return {1, std::clamp(given_cores() / ranks, 1, kMost)};
}

Loader::Loader(std::vector<Sample> samples, Preprocess preprocess, LoaderConfig config)
    : samples_(std::move(samples)), preprocess_(std::move(preprocess)), config_(config) {
  check(!samples_.empty(), "data loader: no slices; check the list and the data folder");
  check(config_.batch_size >= 1, "data loader: batch size {}, expected at least 1",
        config_.batch_size);
  for (const int threads : {config_.threads.first, config_.threads.most})
    check(threads >= 0 && threads <= 1024, "data loader: {} threads, expected 0 to 1024", threads);
  check(config_.prefetch >= 1, "data loader: prefetch {}, expected at least 1", config_.prefetch);
  check(config_.parts >= 1 && config_.part < config_.parts &&
            config_.batch_size % config_.parts == 0 && (config_.parts == 1 || config_.drop_last),
        "data loader: part {} of {} of batches of {}, expected equal parts of full batches",
        config_.part, config_.parts, config_.batch_size);
  const auto count = static_cast<std::int64_t>(samples_.size());
  batches_ = count / config_.batch_size;
  if (!config_.drop_last && count % config_.batch_size != 0) ++batches_;
  check(batches_ > 0,
        "data loader: batch size {} but only {} slices, and a last batch that is not full is left "
        "out; use a batch size of at most {}",
        config_.batch_size, count, count);

  for (const Sample& sample : samples_) {
    check(!sample.mask.empty(), "{}: has no mask, but training and evaluation need one",
          sample.image.string());
    const std::vector<std::int64_t> shape = read_npy_info(sample.image).shape;
    check(shape.size() == 3, "{}: {} dimensions, expected 3: height, width, channels",
          sample.image.string(), shape.size());
    if (&sample == &samples_.front()) {
      height_ = shape[0];
      width_ = shape[1];
      channels_ = shape[2];
    }
    check_size(sample, shape[0], shape[1], shape[2]);
    states_.push_back(SampleState::of(sample));
  }
  for (int i = 0; i < config_.threads.first; ++i) add_worker();
}

void Loader::add_worker() {
  workers_.emplace_back([this](const std::stop_token& stop) {
    use_given_cores();
    work(stop);
  });
  const std::lock_guard lock(mutex_);
  ahead_ = batches_ahead(threads(), config_.prefetch);
}

Loader::~Loader() {
  for (std::jthread& worker : workers_) worker.request_stop();
}

void Loader::check_size(const Sample& sample, std::int64_t height, std::int64_t width,
                        std::int64_t channels) const {
  check(height == height_ && width == width_ && channels == channels_,
        "{}: size {}x{}x{}, expected {}x{}x{} as in {}; slices that are trained on or evaluated "
        "together need one size: bring them to it by glia import --pad-to or --resize, or leave "
        "this one out of the list of ids",
        sample.image.string(), height, width, channels, height_, width_, channels_,
        samples_.front().image.string());
}

void Loader::begin_epoch(std::int64_t epoch, std::int64_t first_batch) {
  check(first_batch >= 0 && first_batch <= batches_,
        "data loader: cannot start at batch {} of an epoch of {}", first_batch, batches_);
  auto order = std::make_shared<const Order>(order_of(samples_.size(), config_, epoch));
  {
    const std::lock_guard lock(mutex_);
    order_ = std::move(order);
    ready_.clear();
    epoch_ = epoch;
    ++run_;
    next_load_ = next_out_ = first_batch + config_.offset;
    end_ = batches_;
  }
  may_load_.notify_all();
  last_.reset();  // what is done between epochs is nobody's wait
}

void Loader::keep_up(WaitShare::Duration waited) {
  const auto now = std::chrono::steady_clock::now();
  const auto last = std::exchange(last_, now);
  if (last && waits_.note(waited, now - *last) && threads() < config_.threads.most) add_worker();
}

bool Loader::next(Batch& batch) {
  const auto asked = std::chrono::steady_clock::now();
  Result result;
  {
    std::unique_lock lock(mutex_);
    if (next_out_ >= end_) return false;
    if (workers_.empty()) {
      result = try_load(epoch_, next_out_, *order_);
    } else {
      loaded_.wait(lock, [&] { return ready_.contains(next_out_); });
      result = std::move(ready_.extract(next_out_).mapped());
    }
    next_out_ += config_.stride;
    if (result.error) end_ = next_out_;
  }
  may_load_.notify_all();
  if (result.error) std::rethrow_exception(result.error);
  keep_up(std::chrono::steady_clock::now() - asked);
  batch = std::move(result.batch);
  return true;
}

void Loader::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (may_load_.wait(lock, stop, [&] {
    return next_load_ < end_ && next_load_ < next_out_ + ahead_ * config_.stride;
  })) {
    const std::int64_t number = std::exchange(next_load_, next_load_ + config_.stride), run = run_,
                       epoch = epoch_;
    const std::shared_ptr<const Order> order = order_;
    lock.unlock();
    Result result = try_load(epoch, number, *order);
    lock.lock();
    if (run != run_) continue;
    ready_.emplace(number, std::move(result));
    loaded_.notify_all();
  }
}

Loader::Result Loader::try_load(std::int64_t epoch, std::int64_t number, const Order& order) const {
  Result result;
  try {
    result.batch = load(epoch, number, order);
  } catch (...) {
    result.error = std::current_exception();
  }
  return result;
}

Batch Loader::load(std::int64_t epoch, std::int64_t number, const Order& order) const {
  const std::int64_t size = config_.batch_size / config_.parts;
  const std::int64_t first = number * config_.batch_size + config_.part * size;
  const std::int64_t last = std::min(first + size, static_cast<std::int64_t>(order.size()));
  Batch batch{.size = last - first, .height = height_, .width = width_, .channels = channels_};
  if (config_.contents != BatchContents::draws) {
    batch.images.reserve(static_cast<std::size_t>(batch.size * height_ * width_ * channels_));
    batch.masks.reserve(static_cast<std::size_t>(batch.size * height_ * width_));
  }
  for (std::int64_t i = first; i < last; ++i) {
    const std::int64_t index = order[static_cast<std::size_t>(i)];
    const Sample& sample = samples_[static_cast<std::size_t>(index)];
    const AugmentDraws draws = draw_augment(config_.augment, config_.seed, epoch, index);
    if (config_.contents != BatchContents::draws) add_slice(index, draws, batch);
    if (config_.contents != BatchContents::augmented) batch.draws.push_back(draws);
    batch.indices.push_back(index);
    batch.ids.push_back(sample.id);
  }
  return batch;
}

Loader::FileState Loader::FileState::of(const std::filesystem::path& file) {
  std::error_code error;
  FileState state;
  state.bytes = std::filesystem::file_size(file, error);
  state.written = std::filesystem::last_write_time(file, error);
  return state;  // of a file that is gone: reading it says so
}

Loader::SampleState Loader::SampleState::of(const Sample& sample) {
  return {FileState::of(sample.image), FileState::of(sample.mask)};
}

void Loader::add_slice(std::int64_t index, const AugmentDraws& draws, Batch& batch) const {
  const Sample& sample = samples_[static_cast<std::size_t>(index)];
  Slice slice = load_slice(sample);
  check_size(sample, slice.height, slice.width, slice.channels);
  check(SampleState::of(sample) == states_[static_cast<std::size_t>(index)],
        "{}: it or its mask was written again since this command began, which would go on with "
        "other data; put the files back as they were, or begin anew",
        sample.image.string());
  preprocess_.apply(slice.image, slice.channels);
  if (config_.contents == BatchContents::augmented) augment(slice, draws);
  batch.images.insert(batch.images.end(), slice.image.begin(), slice.image.end());
  batch.masks.insert(batch.masks.end(), slice.mask.begin(), slice.mask.end());
}

}  // namespace glia
