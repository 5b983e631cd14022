#include "engine/train/shards.h"

#include <array>
#include <bit>

#include "engine/comm/communicator.h"
#include "engine/ops/ops.h"
#include "engine/runtime/ranks.h"
#include "engine/runtime/run.h"

namespace glia {

Shards Shards::of(const Device& device, std::int64_t count, std::int64_t batch_size) {
  const Communicator* ranks = device.ranks();
  const std::int64_t size = ranks ? ranks->size() : 1, rank = ranks ? ranks->rank() : 0;
  if (count == 0) count = size;
  const std::int64_t in_turn = count / size;
  check(count % size == 0 && std::has_single_bit(static_cast<std::uint64_t>(in_turn)),
        "--shards {} on {} ranks: expected 1, 2, 4, 8 ... shards a rank, which add up in the same "
        "order on any number of them; choose --ranks {}, or --shards {} in a new run",
        count, size, count, size);
  check(batch_size % count == 0,
        "--batch-size {}: a batch does not divide into {} equal shards; choose a multiple of {}",
        batch_size, count, count);
  return {.count = count, .in_turn = in_turn, .first = rank * in_turn};
}

ShardResult ShardResult::of_batch(const Device& device, const std::vector<ShardResult>& mine,
                                  bool whole_sums) {
  using Row = std::array<double, 4>;
  std::vector<Row> rows;
  for (const ShardResult& r : mine)
    rows.push_back({r.loss, r.own, r.sums.intersection, r.sums.union_});
  if (Communicator* ranks = device.ranks()) {
    std::vector<Row> all(rows.size() * static_cast<std::size_t>(ranks->size()));
    ranks->gather(rows.data(), all.data(), rows.size() * sizeof(Row));
    rows = std::move(all);
  }
  const Row first = rows.front();
  for (std::size_t step = 1; step < rows.size(); step *= 2)
    for (std::size_t i = 0; i + step < rows.size(); i += 2 * step)
      for (std::size_t k = 0; k < first.size(); ++k) rows[i][k] += rows[i + step][k];
  const Row& sums = whole_sums ? first : rows.front();
  return {.loss = first[0], .own = rows.front()[1], .sums = {sums[2], sums[3]}};
}

GradientSum::GradientSum(Device& device, nn::ParameterSet& parameters, const Shards& shards)
    : device_(device), parameters_(parameters), in_turn_(shards.in_turn) {
  const Tensor& grads = parameters.flat_grads();
  for (std::int64_t held = 1; held < in_turn_; held *= 2)
    kept_.push_back(Tensor::empty(device, grads.shape(), grads.dtype()));
  if (device.ranks() == nullptr) return;
  const std::int64_t size = device.ranks()->size(), all = parameters.padded_grads().numel();
  parts_ = Tensor::empty(device, {size, all / size}, grads.dtype());
}

void GradientSum::add(std::int64_t shard) {
  const Tensor& grads = parameters_.flat_grads();
  std::size_t level = 0;
  for (; (shard >> level) % 2 == 1; ++level)
    run<&KernelTable::scale>(device_,
                             {.x = kept_[level], .y = grads.view(), .write = Write::accumulate});
  if (shard + 1 < in_turn_)
    run<&KernelTable::scale>(device_, {.x = grads, .y = kept_[level].view()});
}

void GradientSum::over_ranks() {
  if (device_.ranks() == nullptr) return;
  const Tensor& grads = parameters_.padded_grads();
  exchange_ranks(device_, grads.view(), parts_.view());
  Tape off(device_, Tape::Mode::off);
  gather_ranks(device_, ops::fold(off, parts_).view(), grads.view());
}

}  // namespace glia
