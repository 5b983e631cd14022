#include "engine/runtime/ranks.h"

#include <vector>

#include "engine/base/check.h"
#include "engine/comm/communicator.h"

namespace glia {

namespace {

std::size_t bytes_of(const ConstView& view) {
  return static_cast<std::size_t>(view.shape.numel()) * size_of(view.dtype);
}

/// Runs `move(from, to)` on memory of the host.
template <class Move>
void on_host(Device& device, const ConstView& from, const View& to, const Move& move) {
  if (device.allocator().on_host()) {
    device.synchronize();
    return move(from.data, to.data);
  }
  std::vector<std::byte> sent(bytes_of(from)), received(bytes_of(to));
  device.allocator().copy_out(sent.data(), from.data, sent.size());
  move(sent.data(), received.data());
  device.allocator().copy_in(to.data, received.data(), received.size());
}

void check_fit(const Device& device, const char* what, const ConstView& from, const View& to,
               std::int64_t times) {
  check(device.ranks() != nullptr, "{}: this device has joined no ranks", what);
  check(from.dense() && to.dense() && from.dtype == to.dtype &&
            to.shape.numel() == times * from.shape.numel(),
        "{}: found {} {} to {} {} for {} ranks", what, name_of(from.dtype), from.shape.str(),
        name_of(to.dtype), to.shape.str(), device.ranks()->size());
}

}  // namespace

void gather_ranks(Device& device, const ConstView& mine, const View& all) {
  check_fit(device, "gather", mine, all, device.ranks() ? device.ranks()->size() : 1);
  on_host(device, mine, all,
          [&](const void* from, void* to) { device.ranks()->gather(from, to, bytes_of(mine)); });
}

void exchange_ranks(Device& device, const ConstView& parts, const View& received) {
  check_fit(device, "exchange", parts, received, 1);
  const auto ranks = static_cast<std::size_t>(device.ranks()->size());
  check(bytes_of(parts) % ranks == 0, "exchange: {} does not divide into {} parts",
        parts.shape.str(), ranks);
  on_host(device, parts, received, [&](const void* from, void* to) {
    device.ranks()->exchange(from, to, bytes_of(parts) / ranks);
  });
}

}  // namespace glia
