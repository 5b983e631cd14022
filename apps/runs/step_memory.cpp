#include "apps/runs/step_memory.h"

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/comm/communicator.h"
#include "engine/data/loader.h"
#include "engine/formats/npy.h"
#include "models/registry.h"

namespace glia {

std::size_t loader_bytes(const StepShape& shape, std::int64_t channels,
                         const LoaderThreads& threads) {
  const std::int64_t slices = Loader::batches_ahead(std::max(threads.first, threads.most)) + 2;
  return static_cast<std::size_t>(slices * shape.height * shape.width * (channels + 1)) *
         sizeof(float);
}

std::string free_text(const MemoryLimit& limit) {
  return limit.device ? fmt::format("{:.0f} MiB", mib(limit.free))
                      : fmt::format("{:.0f} MiB, free under {},", mib(limit.free), limit.str());
}

StepMemory::StepMemory(nlohmann::json model, const TrainConfig& config, Device& device,
                       Beside beside)
    : model_(std::move(model)),
      target_(PlanTarget::of(device)),
      on_host_(device.allocator().on_host()),
      loader_(beside.loader),
      ranks_here_(beside.ranks_here),
      limit_(std::move(beside.host)) {
  const std::vector<std::int64_t> image = read_npy_info(beside.slice.image).shape;
  const std::int64_t ranks = device.ranks() ? device.ranks()->size() : 1;
  channels_ = image.at(2);
  shape_ = {.batch_size = config.batch_size,
            .height = image.at(0),
            .width = image.at(1),
            .ranks = ranks,
            .shards = config.shards > 0 ? config.shards : ranks,
            .optimizer = config.optimizer,
            .objective = Objective::parse(config.loss, config.region, config.smooth)};
  if (on_host_) return;
  limit_.reset();
  if (const auto room = device.allocator().available())
    limit_ = MemoryLimit{.name = "the GPU", .total = *room, .free = *room, .device = true};
}

std::size_t StepMemory::beside() const {
  return on_host_ ? loader_bytes(shape_, channels_, loader_) : 0;
}

std::size_t StepMemory::needed() const {
  const StepPlan plan = plan_step([&] { return make_model(model_); }, shape_, target_);
  const std::size_t images = static_cast<std::size_t>(shape_.batch_size / shape_.ranks);
  return static_cast<std::size_t>(ranks_here_) * (plan.peak_bytes() + beside() * images);
}

std::string StepMemory::check_fits() const {
  if (!on_host_ || !limit_) return {};
  const std::int64_t multiple = make_model(model_)->size_multiple();
  if (shape_.height % multiple != 0 || shape_.width % multiple != 0)
    return {};  // refused elsewhere
  const std::size_t bytes = needed();
  if (bytes <= limit_->free) return {};
  const std::string text = advice(bytes);
  check(limit_->device, "{}", text);
  return text;
}

bool StepMemory::keeps(Resident wanted, const Device& device, std::size_t slices,
                       std::size_t bytes) const {
  if (wanted == Resident::off) return false;
  if (device.kernels().augment_batch == nullptr) {
    check(wanted == Resident::automatic,
          "--resident on: the device {} takes batches from the host's memory, where slices are "
          "read from files as they are needed; leave --resident out",
          device.name());
    return false;
  }
  if (!limit_) return true;
  if (needed() + bytes <= limit_->free) return true;
  check(wanted == Resident::automatic,
        "--resident on: {} slices take {:.0f} MiB and a step {:.0f}, of which {:.0f} are free on "
        "the GPU; leave --resident out, and they come batch by batch",
        slices, mib(bytes), mib(needed()), mib(limit_->free));
  return false;
}

std::string StepMemory::advice() const {
  return advice(needed());
}

std::string StepMemory::advice(std::size_t bytes) const {
  std::string text = fmt::format("The tensors of a step with --batch-size {} need {:.0f} MiB",
                                 shape_.batch_size, mib(bytes));
  if (!limit_) return text + "; use a smaller --batch-size or --base-width";
  text += fmt::format(" and {:.0f} were free{}", mib(limit_->free),
                      limit_->device ? "" : " under " + limit_->str());
  const std::int64_t batch =
      largest_batch([&] { return make_model(model_); }, shape_, target_,
                    limit_->free / static_cast<std::size_t>(ranks_here_), beside());
  if (batch == 0) return text + "; use a smaller --base-width";
  if (batch >= shape_.batch_size)
    return text +
           ", which would hold them: another program has taken memory since, or what is free lies "
           "in pieces; use a smaller --batch-size or end that program";
  return fmt::format("{}, which holds those of --batch-size {}", text, batch);
}

}  // namespace glia
