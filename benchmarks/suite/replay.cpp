#include "benchmarks/suite/replay.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "benchmarks/suite/reference.h"
#include "engine/base/element.h"
#include "engine/base/rng.h"

namespace glia::bench {

namespace {

constexpr std::int64_t kSampledElements = 16;  // of each result, the two ends included

bool is_result(const Operand& operand) {
  return operand.role != Role::in;
}

std::size_t bytes_of(const Operand& operand) {
  return static_cast<std::size_t>(operand.span()) * size_of(operand.view.dtype);
}

double value_of(Content content, std::uint32_t word) {
  const double uniform = (word >> 8) * 0x1p-24;
  switch (content) {
    case Content::unchecked: return 0;
    case Content::spread: return (2 * uniform - 1) * std::numbers::sqrt3;
    case Content::positive: return 0.5 + uniform;
    case Content::binary: return uniform < 0.1 ? 1 : 0;
    case Content::place: return word >> 30;
    case Content::sums: return 1000 * (1 + uniform);
  }
  return 0;
}

template <class T>
void fill(std::vector<std::byte>& bytes, Content content, std::uint64_t seed,
          std::uint64_t stream) {
  auto* values = reinterpret_cast<T*>(bytes.data());
  const std::size_t count = bytes.size() / sizeof(T);
  for (std::size_t i = 0; i < count; i += 4) {
    const auto words = philox(seed, stream, i / 4);
    for (std::size_t k = 0; k < std::min<std::size_t>(4, count - i); ++k)
      values[i + k] = to_element<T>(value_of(content, words[k]));
  }
}

/// The operand as a view of host memory.
ConstView host_view(const Operand& operand, const std::vector<std::byte>& bytes) {
  ConstView view = operand.view;
  view.data = bytes.data();
  return view;
}

/// The larger of two errors; a NaN is the largest.
double worse(double a, double b) {
  return std::isnan(a) || b <= a ? a : b;
}

/// First, last, and others anywhere.
std::vector<Element> sampled_elements(const ConstView& view) {
  const std::int64_t channels = view.channels(), count = view.shape.numel();
  const std::int64_t wanted = std::min(count, kSampledElements);
  const Random random(1, 0);
  std::vector<Element> elements;
  for (std::int64_t i = 0; i < wanted; ++i) {
    const auto anywhere = static_cast<std::int64_t>(random.uniform(static_cast<std::uint64_t>(i)) *
                                                    static_cast<double>(count));
    const std::int64_t place = count == wanted ? i : i == 0 ? 0 : i == 1 ? count - 1 : anywhere;
    elements.push_back({place / channels, place % channels});
  }
  return elements;
}

}  // namespace

Contents::Contents(const Call& call, std::uint64_t seed) {
  bytes_.reserve(call.operands.size());
  for (const Operand& operand : call.operands) {
    std::vector<std::byte>& bytes = bytes_.emplace_back(bytes_of(operand));
    const std::uint64_t stream = bytes_.size();
    switch (operand.view.dtype) {
      case DType::f32: fill<float>(bytes, operand.content, seed, stream); break;
      case DType::f64: fill<double>(bytes, operand.content, seed, stream); break;
      case DType::bf16: fill<Bf16>(bytes, operand.content, seed, stream); break;
      case DType::u8: fill<std::uint8_t>(bytes, operand.content, seed, stream); break;
      case DType::i64: fill<std::int64_t>(bytes, operand.content, seed, stream); break;
    }
    places_.push_back(bytes.data());
  }
}

Replay::Replay(Device& device, const Call& call, const Contents& contents)
    : device_(device), call_(call), contents_(contents) {
  const std::vector<Operand>& operands = call.operands;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto shares = [&](const Operand& other) {
      return other.view.data == operands[i].view.data;
    };
    const auto first = static_cast<std::size_t>(
        std::find_if(operands.begin(), operands.end(), shares) - operands.begin());
    if (first < i) {
      places_.push_back(places_[first]);
      continue;
    }
    std::size_t bytes = 0;
    for (const Operand& other : operands)
      if (shares(other)) bytes = std::max(bytes, bytes_of(other));
    const std::size_t offset = misalignment(operands[i]);
    blocks_.push_back(
        Tensor::empty(device, {static_cast<std::int64_t>(bytes + offset)}, DType::u8));
    places_.push_back(blocks_.back().view().as<std::byte>() + offset);
  }
  restore();
}

void Replay::restore() {
  // Backwards, so that of operands that share memory the first one's contents stay.
  for (std::size_t i = places_.size(); i-- > 0;)
    device_.allocator().copy_in(places_[i], contents_[i].data(), contents_[i].size());
}

std::vector<std::byte> Replay::read(std::size_t index) {
  std::vector<std::byte> bytes(contents_[index].size());
  device_.allocator().copy_out(bytes.data(), places_[index], bytes.size());
  return bytes;
}

Accuracy examine(Replay& replay, const Call& call, const Contents& contents) {
  Results results(call.operands.size());
  replay.restore();
  replay.run();
  for (std::size_t i = 0; i < results.size(); ++i)
    if (is_result(call.operands[i])) results[i] = replay.read(i);
  replay.restore();
  replay.run();
  Accuracy found = accuracy_of(results, call, contents);
  for (std::size_t i = 0; i < results.size(); ++i)
    if (is_result(call.operands[i]) && replay.read(i) != results[i]) found.deterministic = false;
  return found;
}

Accuracy accuracy_of(const Results& results, const Call& call, const Contents& contents) {
  Accuracy found;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Operand& operand = call.operands[i];
    if (results[i].empty() || operand.content == Content::unchecked) continue;
    const ConstView before = host_view(operand, contents[i]),
                    after = host_view(operand, results[i]);
    double error = 0, largest = 0;
    for (const Element e : sampled_elements(operand.view)) {
      double expected = call.expected(contents.places(), i, e);
      if (operand.role == Role::add) expected += element(before, e);
      const double result = element(after, e);
      // An infinity that is meant, such as the floor of a map, is as expected too.
      error = worse(error, result == expected ? 0 : std::abs(result - expected));
      if (std::isfinite(expected)) largest = std::max(largest, std::abs(expected));
    }
    found.max_error = worse(found.max_error, error);
    found.relative_error = worse(found.relative_error, error == 0 ? 0 : error / largest);
  }
  return found;
}

}  // namespace glia::bench
