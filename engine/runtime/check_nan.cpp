#include "engine/runtime/check_nan.h"

#include <cmath>
#include <optional>
#include <string_view>

#include "engine/base/check.h"
#include "engine/base/element.h"
#include "engine/runtime/device.h"

namespace glia {

namespace {

struct Found {
  std::int64_t row = 0, channel = 0;
  double value = 0;
};

template <class T>
std::optional<Found> search(Device& device, const Operand& operand) {
  const ConstView& view = operand.view;
  std::vector<T> values(static_cast<std::size_t>(operand.span()));
  if (values.empty()) return std::nullopt;
  device.allocator().copy_out(values.data(), view.data, values.size() * sizeof(T));
  for (std::int64_t row = 0; row < view.rows(); ++row)
    for (std::int64_t channel = 0; channel < view.channels(); ++channel) {
      const double value = to_number(values[static_cast<std::size_t>(row * view.pitch + channel)]);
      // The floor of a map is -infinity where nothing is cut off (read_map.h).
      const bool floor =
          value < 0 && std::isinf(value) &&
          (operand.name == std::string_view("map") || operand.name == std::string_view("x_map"));
      if (!std::isfinite(value) && !floor) return Found{row, channel, value};
    }
  return std::nullopt;
}

/// The first element of the operand that is not finite; integers always are.
std::optional<Found> first_not_finite(Device& device, const Operand& operand) {
  switch (operand.view.dtype) {
    case DType::f32: return search<float>(device, operand);
    case DType::f64: return search<double>(device, operand);
    case DType::bf16: return search<Bf16>(device, operand);
    default: return std::nullopt;
  }
}

/// "[0, 3, 5, 7]" of [2, 4, 6, 8], "[12]" of a vector
std::string place_in(const Shape& shape, const Found& found) {
  if (shape.rank() != 4) return fmt::format("[{}]", found.row * shape.channels() + found.channel);
  const std::int64_t pixels = shape[1] * shape[2];
  return fmt::format("[{}, {}, {}, {}]", found.row / pixels, found.row % pixels / shape[2],
                     found.row % shape[2], found.channel);
}

}  // namespace

void CheckNan::name(const ConstView& view, const std::string& parameter) {
  layers_.add(view, parameter);
}

bool CheckNan::before(Device& device, const KernelCall& call) {
  // What is augmented is read by the first layer, which is then named with its data.
  if (call.kernel().id == kNotListed) return true;
  layer_ = layers_.of(call, phase_);
  tainted_.clear();
  for (const Operand& operand : call.operands())
    if (tainted_.empty() && operand.role != Role::out && first_not_finite(device, operand))
      tainted_ = operand.name;
  return true;
}

void CheckNan::after(Device& device, const KernelCall& call) {
  if (call.kernel().id == kNotListed) return;
  // Whoever fills with infinity means it: the floors of maps (read_map.h).
  if (call.kernel().id == KernelId::fill && !std::isfinite(call.as<Fill>().alpha)) return;
  for (const Operand& operand : call.operands()) {
    if (!operand.written()) continue;
    const auto found = first_not_finite(device, operand);
    if (!found) continue;
    const std::int64_t place = found->row * operand.view.pitch + found->channel;
    const std::string parameter = layers_.parameter_at(static_cast<const char*>(operand.view.data) +
                                                       place * size_of(operand.view.dtype));
    fail("--check-nan: {} of {} wrote {} to its {} {} at {}{}; {}", call.kernel().name,
         layer_.empty() ? "the first layer" : layer_, found->value, operand.name,
         operand.view.shape.str(), place_in(operand.view.shape, *found),
         parameter.empty() ? "" : fmt::format(" ({})", parameter),
         tainted_.empty() ? "all that it read was finite"
                          : fmt::format("its {} held such a value already, which no kernel made: "
                                        "look at the data, at --augment and at the weights",
                                        tainted_));
  }
}

}  // namespace glia
