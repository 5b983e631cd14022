// The inputs already lie side by side in one buffer, so forward only names their union, and each
// input's gradient is a channel slice of dy itself. docs/ops/concat.md
#include <algorithm>
#include <limits>
#include <vector>

#include "engine/ops/common.h"
#include "engine/ops/ops.h"

namespace glia::ops {

namespace {

/// The maps of all parts side by side: those that are not deferred are read as they are. Undefined
/// where none is.
Tensor join_maps(Device& device, std::span<const Tensor> parts) {
  const auto deferred = std::find_if(parts.begin(), parts.end(),
                                     [](const Tensor& part) { return part.is_deferred(); });
  if (deferred == parts.end()) return {};
  std::int64_t channels = 0;
  for (const Tensor& part : parts) channels += part.shape().channels();
  const Tensor joined = Tensor::empty(device, {MapRow::count, channels}, deferred->map().dtype);
  const double identity[] = {1, 0, -std::numeric_limits<double>::infinity()};
  std::int64_t first = 0;
  for (const Tensor& part : parts) {
    const std::int64_t count = part.shape().channels();
    for (std::int64_t row = 0; row < MapRow::count; ++row) {
      const Tensor to = joined.slice(row * channels + first, {count});
      if (part.is_deferred())
        run<&KernelTable::scale>(device, {.x = part.map_row(row), .y = to});
      else
        run<&KernelTable::fill>(device, {.y = to, .alpha = identity[row]});
    }
    first += count;
  }
  return joined;
}

}  // namespace

Tensor concat(Tape& tape, std::span<const Tensor> inputs) {
  for (const Tensor& x : inputs) check_image("concat", x, Maps::read);
  Tensor y = Tensor::join_channels(inputs);
  if (const Tensor map = join_maps(tape.device(), inputs); map.defined()) y = y.deferred(map);
  for (const Tensor& x : inputs) {
    if (!x.wants_grad()) continue;
    // One node serves all inputs; any of them that wants a gradient makes the result want one.
    tape.record(
        "concat", {x}, y,
        [parts = std::vector<Tensor>(inputs.begin(), inputs.end())](Tape& t, const Tensor& dy) {
          std::int64_t first = 0;
          for (const Tensor& part : parts) {
            const std::int64_t count = part.shape().channels();
            if (part.wants_grad()) t.pass_grad(part, dy.channels(first, count));
            first += count;
          }
        });
    break;
  }
  return y;
}

}  // namespace glia::ops
