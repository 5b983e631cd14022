#include "engine/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/base/finite.h"
#include "engine/base/shell_word.h"
#include "engine/comm/communicator.h"

namespace glia {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr double kMuchDecay = 1;  // of weights; usual are 0 to 0.1

/// What the loader does of a batch; the device does the rest.
BatchContents contents_of(const Device& device, const AugmentConfig& augment,
                          const TrainRuntime& runtime) {
  if (runtime.slices.defined()) return BatchContents::draws;
  const bool on_device = device.kernels().augment_batch && augment != AugmentConfig{};
  return on_device ? BatchContents::loaded : BatchContents::augmented;
}

std::int64_t rank_of(const Device& device) {
  return device.ranks() ? device.ranks()->rank() : 0;
}

std::int64_t ranks_of(const Device& device) {
  return device.ranks() ? device.ranks()->size() : 1;
}

/// The shards of this device's rank, or `Error` where the network cannot be computed in them.
Shards shards_of(const Device& device, const TrainConfig& config, nn::Model& model) {
  const Shards shards = Shards::of(device, config.shards, config.batch_size);
  check(
      shards.in_turn == 1 || model.parameters().buffers().empty(),
      "--shards {} on {} ranks: a batch norm looks at all images of a batch in each layer, so its "
      "shards are computed side by side and take the memory of the whole batch: choose --ranks "
      "{}, or --norm group, whose shards can take turns",
      shards.count, ranks_of(device), shards.count);
  return shards;
}

RepeatedWork::Mode mode_of(const TrainRuntime& runtime) {
  return runtime.eager ? RepeatedWork::Mode::eager : RepeatedWork::Mode::automatic;
}

}  // namespace

void check_slice_size(const nn::Model& model, std::int64_t height, std::int64_t width,
                      std::int64_t channels) {
  const std::int64_t multiple = model.size_multiple();
  check(channels == model.in_channels(),
        "train: the slices have {} channels, the network expects {}", channels,
        model.in_channels());
  check(height % multiple == 0 && width % multiple == 0,
        "train: the slices are {}x{}, expected multiples of {} (2^depth); pad them or choose a "
        "smaller --depth",
        height, width, multiple);
}

Trainer::Trainer(Device& device, nn::Model& model, const TrainConfig& config,
                 std::vector<Sample> train, std::vector<Sample> val, const Preprocess& preprocess,
                 const RunFolder& folder, nlohmann::json info, const TrainRuntime& runtime,
                 TrainEvents events)
    : model_(model),
      ranks_(device.ranks()),
      shards_(shards_of(device, config, model)),
      config_(config),
      objective_(Objective::parse(config.loss, config.region, config.smooth)),
      preprocess_(preprocess),
      folder_(folder),
      info_(std::move(info)),
      events_(std::move(events)),
      train_loader_(std::move(train), preprocess,
                    {.batch_size = config.batch_size,
                     .seed = config.seed,
                     .shuffle = true,
                     .drop_last = true,
                     .augment = config.augment,
                     .contents = contents_of(device, config.augment, runtime),
                     .threads = runtime.loader_threads,
                     .part = rank_of(device),
                     .parts = ranks_of(device)}),
      val_loader_(std::move(val), preprocess,
                  {.batch_size = config.batch_size,
                   .augment = {},
                   .contents = runtime.val_slices.defined() ? BatchContents::draws
                                                            : BatchContents::augmented,
                   .threads = runtime.loader_threads,
                   .offset = rank_of(device),
                   .stride = ranks_of(device)}),
      optimizer_(config.optimizer, model.parameters()),
      schedule_(config.schedule),
      step_(device, model, optimizer_, objective_, config.seed, mode_of(runtime)),
      validation_(device, model, objective_, val_loader_, runtime.val_slices,
                  {.mode = mode_of(runtime), .shards = shards_.count}) {
  config_.precision = device.context().precision;
  config_.validate();
  config_.shards = shards_.count;
  step_.divide(shards_);
  for (const Loader* loader : {&train_loader_, &val_loader_})
    check_slice_size(model, loader->height(), loader->width(), loader->channels());
  if (contents_of(device, config.augment, runtime) != BatchContents::augmented)
    step_.augment_on_device(config.augment, runtime.slices);
}

double Trainer::learning_rate() const {
  const std::int64_t steps = config_.epochs * train_loader_.batches_per_epoch();
  return schedule_.rate(state_.epoch, optimizer_.steps(),
                        config_.max_steps > 0 ? std::min(steps, config_.max_steps) : steps);
}

bool Trainer::out_of_steps() const {
  return config_.max_steps > 0 && optimizer_.steps() >= config_.max_steps;
}

std::string Trainer::place() const {
  return state_.sums.steps > 0 ? fmt::format("step {} of epoch {}", state_.sums.steps, state_.epoch)
                               : fmt::format("epoch {}", state_.epoch - 1);
}

std::string Trainer::remedy() const {
  const double decay = config_.optimizer.weight_decay;
  return fmt::format(
      "lower {}--learning-rate, choose a --norm or --normalize slice, or look at the "
      "data with check-data",
      decay > kMuchDecay
          ? fmt::format("--weight-decay, which is {} and rarely more than 0.1, or ", decay)
          : "");
}

void Trainer::keep_finite(const std::function<void()>& action) {
  try {
    action();
  } catch (const NotFiniteTensor& error) {
    fail("train: after {}, {} are NaN or infinite; {}. {} is from before that", place(),
         error.found(), remedy(), folder_.last().string());
  }
}

std::string Trainer::first_not_finite() const {
  const nn::ParameterSet& set = model_.parameters();
  const auto bad = [&](const Tensor& flat, const nn::Parameter& p) {
    return find_not_finite(set.part(flat, p).to_vector<float>()).has_value();
  };
  const auto& all = set.parameters();
  // The backward pass goes from the last parameter to the first.
  for (auto p = all.rbegin(); p != all.rend(); ++p)
    if (bad(set.flat_grads(), *p)) return fmt::format("the gradient of {}", p->name);
  for (const nn::Parameter& p : all)
    if (bad(set.flat_values(), p)) return p.name;
  for (const optim::Optimizer::State& state : optimizer_.state())
    for (const nn::Parameter& p : all)
      if (bad(state.value, p)) return fmt::format("the optimizer's {} of {}", state.name, p.name);
  return "a weight";  // in the gaps between the parameters
}

void Trainer::count(const TrainStep::Result& result, double seconds) {
  const std::int64_t step = state_.sums.steps + 1;
  const auto how_to_name = [&](const char* what) {
    return fmt::format(
        "{} is named by: glia train --resume {} --check-nan, with the --device and --backend of "
        "this run. {} is from before that",
        what, shell_word(folder_.path().string()), folder_.last().string());
  };
  if (!std::isfinite(result.loss))
    fail(
        "train: the loss is {} at step {} of epoch {}, though the weights were finite before it: "
        "values overflow inside the network; {}. {}",
        std::abs(result.loss),  // "nan", whatever its sign
        step, state_.epoch, remedy(), how_to_name("The layer"));
  // A step that has begun since then has put its own gradients, of such weights, over them.
  check(result.finite || step_.in_flight() == 0,
        "train: a gradient, a weight or a moment becomes NaN or infinite at step {} of epoch {}; "
        "{}. {}",
        step, state_.epoch, remedy(), how_to_name("The first of them"));
  if (!result.finite)
    fail("train: {} becomes NaN or infinite at step {} of epoch {}; {}. {} is from before that",
         first_not_finite(), step, state_.epoch, remedy(), folder_.last().string());
  state_.sums.loss += result.loss;
  state_.sums.batch_iou += result.batch_iou;
  state_.sums.steps = step;
  state_.sums.images += config_.batch_size;
  state_.sums.seconds += seconds;
  state_.images += config_.batch_size;
}

bool Trainer::writes() const {
  return ranks_ == nullptr || ranks_->rank() == 0;
}

bool Trainer::stop_asked() {
  const char mine = events_.stop() ? 1 : 0;
  if (ranks_ == nullptr) return mine != 0;
  std::vector<char> all(static_cast<std::size_t>(ranks_->size()));
  ranks_->gather(&mine, all.data(), 1);
  return std::any_of(all.begin(), all.end(), [](char asked) { return asked != 0; });
}

bool Trainer::train_epoch() {
  train_loader_.begin_epoch(state_.epoch, state_.sums.steps);
  std::int64_t total = train_loader_.batches_per_epoch();
  if (config_.max_steps > 0)
    total = std::min(total, state_.sums.steps + config_.max_steps - optimizer_.steps());
  auto since = Clock::now();
  const auto finish = [&] {
    const TrainStep::Result result = step_.finish();
    const auto now = Clock::now();
    count(result, std::chrono::duration<double>(now - since).count());
    since = now;
    const auto done = static_cast<double>(state_.sums.steps);
    events_.step({.epoch = state_.epoch,
                  .step = state_.sums.steps,
                  .steps = total,
                  .images = state_.sums.images,
                  .loss = state_.sums.loss / done,
                  .batch_iou = state_.sums.batch_iou / done});
  };
  Batch batch;
  bool more = !out_of_steps() && train_loader_.next(batch);
  if (more) step_.upload(batch);
  while (more) {
    if (step_.in_flight() == 0) since = Clock::now();
    step_.start(learning_rate());
    const bool due =
        config_.checkpoint_every > 0 && optimizer_.steps() % config_.checkpoint_every == 0;
    // The next batch travels while the device computes; it takes the place of the one before last.
    more = !out_of_steps() && train_loader_.next(batch);
    if (step_.in_flight() == TrainStep::kMostInFlight) finish();
    if (more) step_.upload(batch);
    // A device that replays steps is given the next before the host looks at this one.
    const bool late = more && !due && step_.captured();
    while (!late && step_.in_flight() > 0) finish();
    const bool stop = stop_asked();
    while (stop && step_.in_flight() > 0) finish();
    if (stop || due) save_last();
    if (stop) return false;
  }
  return true;
}

bool Trainer::gradients_dead() const {
  // The last bias sees the loss directly, so it always gets a gradient.
  const auto& all = model_.parameters().parameters();
  return std::all_of(all.begin(), all.end() - 1, [](const nn::Parameter& p) {
    const auto values = p.value.grad().to_vector<float>();
    return std::all_of(values.begin(), values.end(), [](float g) { return g == 0; });
  });
}

void Trainer::report_collapse(const Summary& summary, MetricsRow& row) {
  row.collapsed = summary.slices_with_tumour > 0 && summary.counts.prediction_empty();
  const std::string where = fmt::format("epoch {}: ", state_.epoch);
  if (gradients_dead())
    events_.message(where +
                    "the network is dead: no gradient reaches anything but the last bias. Start "
                    "again with another --seed, a lower --learning-rate or a --norm");
  else if (row.collapsed)
    events_.message(where +
                    "the network has collapsed: it calls every validation pixel background. It "
                    "may recover; if not, try another --seed, a lower --learning-rate or --loss "
                    "iou+bce");
}

void Trainer::end_epoch() {
  const auto start = Clock::now();
  keep_finite([this] { check_finite(model_, &optimizer_); });
  step_.forget_recording();
  const EvaluateResult result = validation_.run();
  const Summary summary = result.evaluation.summary();
  const auto steps = static_cast<double>(state_.sums.steps);
  MetricsRow row{.epoch = state_.epoch,
                 .steps = optimizer_.steps(),
                 .images = state_.images,
                 .learning_rate = learning_rate(),
                 .train_loss = state_.sums.loss / steps,
                 .train_batch_iou = state_.sums.batch_iou / steps,
                 .val_loss = result.loss,
                 .val_batch_iou = summary.batch_iou.value_or(0),
                 .val_batch_iou_thresholded = summary.batch_iou_thresholded.value_or(0),
                 .val_batch_dice_thresholded = summary.batch_dice_thresholded.value_or(0),
                 .val_pixel_accuracy = summary.counts.pixel_accuracy().value_or(0),
                 .train_seconds = state_.sums.seconds,
                 .val_seconds = seconds_since(start)};
  check(std::isfinite(row.val_loss),
        "train: the validation loss of epoch {} is {}; {}. {} is from before that", state_.epoch,
        row.val_loss, remedy(), folder_.last().string());
  report_collapse(summary, row);
  state_.rows.push_back(row);
  write_metrics();
  schedule_.end_epoch(row.val_loss);
  const double figure = figure_of(row, config_.best_by);
  if (!state_.best || is_better(figure, *state_.best, config_.best_by)) {
    state_.best = figure;
    save_best(row);
  }
  state_.epoch += 1;
  state_.sums = {};
  save_last();
  events_.epoch(row);
}

bool Trainer::is_done() const {
  // A run that was stopped after its last step still owes the end of that epoch.
  return state_.epoch > config_.epochs || (out_of_steps() && state_.sums.steps == 0);
}

bool Trainer::run() {
  while (!is_done()) {
    if (!train_epoch()) return false;
    end_epoch();
  }
  return true;
}

nlohmann::json Trainer::info() const {
  nlohmann::json info = info_;
  info["model"] = model_.config();
  info["preprocess"] = preprocess_.to_json();
  info["epoch"] = state_.epoch;
  info["steps"] = optimizer_.steps();
  info["precision"] = name_of(config_.precision);
  return info;
}

void Trainer::write_metrics() const {
  if (!writes()) return;
  folder_.write_metrics(state_.rows, objective_.label(), best_epoch(state_.rows, config_.best_by));
}

void Trainer::save_best(const MetricsRow& row) {
  if (!writes()) return;
  nlohmann::json all = info();
  all["validation"] = {{"loss", row.val_loss},
                       {"batch_iou", row.val_batch_iou},
                       {"batch_iou_thresholded", row.val_batch_iou_thresholded},
                       {"batch_dice_thresholded", row.val_batch_dice_thresholded},
                       {"best_by", name_of(config_.best_by)}};
  save_checkpoint(folder_.best(), model_, nullptr, all);
}

void Trainer::save_last() {
  state_.steps = optimizer_.steps();
  state_.schedule = schedule_.state();
  nlohmann::json all = info();
  all["training"] = state_.to_json();
  all["training"]["config"] = config_.to_json();
  if (!writes()) return;
  keep_finite([&] { save_checkpoint(folder_.last(), model_, &optimizer_, all); });
}

void Trainer::resume(const Checkpoint& checkpoint) {
  const std::string file = checkpoint.path.string(), name = file + ": the training state";
  check(checkpoint.info.contains("training"),
        "{}: holds no training state; --resume needs a last.safetensors", file);
  checkpoint.load_weights(model_);
  checkpoint.load_optimizer(optimizer_);
  state_ = TrainingState::from_json(checkpoint.info["training"], name);
  schedule_.restore(state_.schedule, name + ": schedule");
  const MetricsRow* best = best_row(state_.rows, config_.best_by);
  const double figure = best ? figure_of(*best, config_.best_by) : 0;
  check(best ? state_.best && *state_.best == figure : !state_.best,
        "{}: 'best' is {}, and the best of its epochs {}", name,
        state_.best ? fmt::format("{}", *state_.best) : "missing",
        best ? fmt::format("{}", figure) : "none");
  optimizer_.set_steps(state_.steps);
  const std::int64_t per_epoch = train_loader_.batches_per_epoch();
  check(state_.sums.steps <= per_epoch,
        "{}: stopped at step {} of an epoch that now has {}; the training list has changed", file,
        state_.sums.steps, per_epoch);
  const std::int64_t expected = (state_.epoch - 1) * per_epoch + state_.sums.steps;
  check(state_.steps == expected ||
            (config_.max_steps > 0 && state_.steps == std::min(expected, config_.max_steps)),
        "{}: {} steps in epoch {}, expected {}", name, state_.steps, state_.epoch, expected);
  check(state_.images == state_.steps * config_.batch_size &&
            state_.sums.images == state_.sums.steps * config_.batch_size,
        "{}: {} images in {} steps of {}", name, state_.images, state_.steps, config_.batch_size);
  write_metrics();
}

}  // namespace glia
