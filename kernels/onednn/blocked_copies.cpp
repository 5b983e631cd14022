#include "kernels/onednn/blocked_copies.h"

#include <algorithm>

#include "kernels/onednn/thread_count.h"

namespace glia::onednn {

BlockedCopies::Copy::Copy(const dnnl::engine& engine, const Operand& operand, const Desc& wanted,
                          int thread_count)
    : original(operand),
      block(wanted.get_size()),
      there(operand.desc, engine, operand.data),
      here(wanted, engine, block.data),
      threads(thread_count) {}

bool BlockedCopies::Copy::is_of(const Operand& operand, const Desc& wanted) const {
  return original.data == operand.data && original.desc == operand.desc &&
         here.get_desc() == wanted;
}

bool BlockedCopies::Copy::overlaps(const void* data, std::size_t bytes) const {
  const auto* begin = static_cast<const std::byte*>(data);
  const auto* own = static_cast<const std::byte*>(original.data);
  return begin < own + original.bytes && own < begin + bytes;
}

BlockedCopies::Copy* BlockedCopies::find(const Operand& operand, const Desc& wanted) {
  const auto found = std::find_if(copies_.begin(), copies_.end(),
                                  [&](const Copy& copy) { return copy.is_of(operand, wanted); });
  return found == copies_.end() ? nullptr : &*found;
}

BlockedCopies::Copy& BlockedCopies::find_or_add(const Operand& operand, const Desc& wanted,
                                                int threads) {
  if (Copy* copy = find(operand, wanted)) return *copy;
  return copies_.emplace_back(engine_, operand, wanted, threads);
}

dnnl::memory BlockedCopies::to_read(const Operand& operand, const Bridge& bridge, int threads) {
  Copy& copy = find_or_add(operand, bridge.wanted, threads);
  if (copy.filled) return copy.here;
  store(operand.data, operand.bytes);
  bridge.copy.execute(stream_, {{DNNL_ARG_FROM, copy.there}, {DNNL_ARG_TO, copy.here}});
  stream_.wait();
  copy.filled = true;
  return copy.here;
}

dnnl::memory BlockedCopies::to_write(const Operand& operand, const Bridge& bridge, int threads) {
  Copy& target = find_or_add(operand, bridge.wanted, threads);
  // What it overlaps in part must not get lost with the copies that `written` drops.
  for (Copy& copy : copies_)
    if (&copy != &target && copy.overlaps(operand.data, operand.bytes)) store(copy);
  target.filled = target.unsaved = false;
  return target.here;
}

void BlockedCopies::written(const Operand& operand, const Bridge& bridge) {
  Copy& target = *find(operand, bridge.wanted);
  copies_.remove_if([&](const Copy& copy) {
    return &copy != &target && copy.overlaps(operand.data, operand.bytes);
  });
  target.back = bridge.copy;
  target.filled = target.unsaved = true;
}

void BlockedCopies::store(Copy& copy) {
  if (!copy.unsaved) return;
  const ThreadCount threads(copy.threads);
  copy.back.execute(stream_, {{DNNL_ARG_FROM, copy.here}, {DNNL_ARG_TO, copy.there}});
  stream_.wait();
  copy.unsaved = false;
}

void BlockedCopies::store(const void* data, std::size_t bytes) {
  for (Copy& copy : copies_)
    if (copy.overlaps(data, bytes)) store(copy);
}

void BlockedCopies::forget(const void* data, std::size_t bytes) {
  copies_.remove_if([&](const Copy& copy) { return copy.overlaps(data, bytes); });
}

}  // namespace glia::onednn
