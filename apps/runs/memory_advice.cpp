#include "apps/runs/memory_advice.h"

#include "engine/base/bytes.h"
#include "engine/formats/npy.h"
#include "engine/train/plan.h"
#include "models/registry.h"

namespace glia {

std::string memory_advice(const nlohmann::json& model, const TrainConfig& config,
                          const Sample& slice, Device& device, std::optional<std::size_t> room) {
  const std::vector<std::int64_t> image = read_npy_info(slice.image).shape;
  const StepShape shape{.batch_size = config.batch_size,
                        .height = image.at(0),
                        .width = image.at(1),
                        .optimizer = config.optimizer,
                        .objective = Objective::parse(config.loss, config.region, config.smooth)};
  const ModelFactory make = [&] { return make_model(model); };
  const PlanTarget target = PlanTarget::of(device);
  const std::string planned =
      fmt::format("The tensors of a step with --batch-size {} need {:.0f} MiB", config.batch_size,
                  mib(plan_step(make, shape, target).peak_bytes()));
  if (!room) return planned + "; use a smaller --batch-size or --base-width";
  const std::int64_t batch = largest_batch(make, shape, target, *room);
  if (batch == 0)
    return fmt::format("{} and {:.0f} were free; use a smaller --base-width", planned, mib(*room));
  if (batch >= config.batch_size)
    return fmt::format(
        "{} and {:.0f} were free, which would hold them: another program has taken memory since, or "
        "what is free lies in pieces; use a smaller --batch-size or end that program",
        planned, mib(*room));
  return fmt::format("{} and {:.0f} were free, which holds those of --batch-size {}", planned,
                     mib(*room), batch);
}

}  // namespace glia
