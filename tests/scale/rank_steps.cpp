#include "tests/scale/rank_steps.h"

#include "apps/runs/rank_threads.h"
#include "engine/runtime/open_device.h"

namespace glia::test {

namespace {

/// A value a parameter, as `tensor(parameter)` has it.
template <class TensorOf>
std::vector<std::vector<float>> values_of(nn::Model& model, const TensorOf& tensor) {
  std::vector<std::vector<float>> all;
  for (const nn::Parameter& p : model.parameters().parameters())
    all.push_back(tensor(p).template to_vector<float>());
  for (const nn::Parameter& p : model.parameters().buffers())
    all.push_back(p.value.to_vector<float>());
  return all;
}

RankOutcome train_rank(const RankSettings& s, const TestBatch& batch, std::int64_t shards,
                       Communicator* ranks) {
  const auto device = rank_device(s, ranks);
  UNet net(s.net);
  net.parameters().allocate(*device, 11);
  optim::Optimizer optimizer({}, net.parameters());
  const Objective objective = Objective::parse(s.loss, s.region, 1);
  TrainStep step(*device, net, optimizer, objective, 3);
  step.divide(Shards::of(*device, shards, batch.shape[0]));
  const std::int64_t size = batch.shape[0] / (ranks ? ranks->size() : 1);
  const Batch mine = batch.part(ranks ? ranks->rank() * size : 0, size).batch();
  RankOutcome outcome;
  for (std::int64_t i = 0; i < s.steps; ++i) {
    step.upload(mine);
    step.start(1e-2);
    const TrainStep::Result result = step.finish();
    outcome.losses.push_back(result.loss);
    outcome.ious.push_back(result.batch_iou);
  }
  outcome.weights = values_of(net, [](const nn::Parameter& p) { return p.value; });
  outcome.grads = values_of(net, [](const nn::Parameter& p) { return p.value.grad(); });
  return outcome;
}

}  // namespace

std::unique_ptr<Device> rank_device(const RankSettings& settings, Communicator* ranks) {
  auto device = open_device({.device = "cpu",
                             .backend = settings.emulated ? "emu" : "native",
                             .threads = settings.threads});
  device->join(ranks);
  return device;
}

void as_ranks(int ranks, const std::function<void(Communicator*)>& work) {
  run_ranks(ranks, work);
}

RankOutcome train_ranks(const RankSettings& settings, const TestBatch& batch, int ranks,
                        std::int64_t shards) {
  std::vector<RankOutcome> outcomes(static_cast<std::size_t>(ranks));
  as_ranks(ranks, [&](Communicator* mine) {
    outcomes[static_cast<std::size_t>(mine ? mine->rank() : 0)] =
        train_rank(settings, batch, shards, mine);
  });
  for (const RankOutcome& other : outcomes)
    outcomes[0].same_everywhere = outcomes[0].same_everywhere &&
                                  other.weights == outcomes[0].weights &&
                                  other.losses == outcomes[0].losses;
  return outcomes[0];
}

}  // namespace glia::test
