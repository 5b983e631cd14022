#include "engine/import/mask_values.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"

namespace glia {

namespace {

/// More values than this are no classes but the soft edges of a drawing program.
constexpr std::size_t kMaxClasses = 16;
constexpr float kExactInFloat = 1 << 24;

bool within(const std::set<float>& values, float one) {
  return std::all_of(values.begin(), values.end(), [&](float v) { return v == 0 || v == one; });
}

bool are_classes(const std::set<float>& values) {
  return values.size() <= kMaxClasses && std::all_of(values.begin(), values.end(), [](float v) {
           return v == std::floor(v) && std::abs(v) < kExactInFloat;
         });
}

}  // namespace

MaskValues::MaskValues(MaskRule rule, std::map<std::int64_t, std::string> names)
    : rule_(std::move(rule)), names_(std::move(names)) {
  check(rule_.labels.empty() || !rule_.threshold,
        "--labels and --mask-threshold cannot both say what is tumour; pass one of them");
  check(std::find(rule_.labels.begin(), rule_.labels.end(), 0) == rule_.labels.end(),
        "--labels: 0 is background; name the values that are tumour");
}

bool MaskValues::is_tumour(float value) const {
  if (rule_.threshold) return value > *rule_.threshold;
  if (rule_.labels.empty()) return value != 0;
  return std::any_of(rule_.labels.begin(), rule_.labels.end(),
                     [&](std::int64_t label) { return value == static_cast<float>(label); });
}

std::vector<std::uint8_t> MaskValues::binary(std::span<const float> values,
                                             const std::filesystem::path& file) {
  std::vector<std::uint8_t> mask(values.size());
  float previous = std::nanf("");
  std::uint8_t previous_bit = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] != previous) {
      previous = values[i];
      check(!std::isnan(previous), "{}: a mask with NaN; replace it by 0 for background",
            file.string());
      previous_bit = is_tumour(previous) ? 1 : 0;
      const bool is_label = previous_bit != 0 && !rule_.labels.empty();
      if (is_label || values_.size() <= kMaxClasses) values_.insert(previous);
      lowest_ = std::min(lowest_, previous);
      highest_ = std::max(highest_, previous);
      if (example_.empty() && previous != 0 && previous != 1) example_ = file;
    }
    mask[i] = previous_bit;
  }
  return mask;
}

std::string MaskValues::found() const {
  return fmt::format("{}{}", fmt::join(values_, ", "),
                     values_.size() > kMaxClasses ? " and more" : "");
}

std::string MaskValues::problem() const {
  if (rule_.threshold || values_.empty()) return {};
  if (!rule_.labels.empty()) {
    for (std::int64_t label : rule_.labels)
      if (!values_.contains(static_cast<float>(label)))
        return fmt::format("--labels {}: no mask has that value; they have {}", label, found());
    return {};
  }
  if (within(values_, 1) || within(values_, 255)) return {};
  if (!are_classes(values_))
    return fmt::format(
        "the masks have the values {}, as soft edges have (first in {}); --mask-threshold {:g} "
        "takes what is above as tumour",
        found(), example_.string(), (lowest_ + highest_) / 2);
  std::vector<std::string> named;
  std::vector<std::int64_t> labels;
  for (float value : values_) {
    const auto label = static_cast<std::int64_t>(value);
    if (label != 0) labels.push_back(label);
    const auto name = names_.find(label);
    named.push_back(name == names_.end() ? std::to_string(label)
                                         : fmt::format("{} ({})", label, name->second));
  }
  // Black and white with a few greys between them may be either.
  const std::string soft =
      highest_ == 255 || highest_ == 65535
          ? fmt::format("; if the values between are soft edges: --mask-threshold {:g}",
                        highest_ / 2)
          : "";
  return fmt::format(
      "the masks have the values {} (first in {}); --labels {} takes all but 0 as tumour; name "
      "fewer if not all of them are{}",
      fmt::join(named, ", "), example_.string(), fmt::join(labels, ","), soft);
}

}  // namespace glia
