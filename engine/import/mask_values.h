// Which values of a mask are tumour, and what to say when that cannot be known. The masks of a data
// set are judged together: a file with {0, 1} may be a class map of which the other files have
// more.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace glia {

struct MaskRule {
  std::vector<std::int64_t> labels =
      {};  // values that are tumour; empty: 1, or 255, and nothing else
  std::optional<double> threshold = {};  // tumour is what is above; not together with labels
};

class MaskValues {
 public:
  /// `names` of label values, for messages; may be empty. Throws `Error` when the rule has both
  /// labels and a threshold, or the label 0.
  MaskValues(MaskRule rule, std::map<std::int64_t, std::string> names);

  /// The mask in {0, 1}, by the rule; what it holds is remembered. Without a rule everything but 0
  /// is 1, which is sound only if `problem` is empty in the end. Throws `Error`, led by `file`, on
  /// NaN.
  std::vector<std::uint8_t> binary(std::span<const float> values,
                                   const std::filesystem::path& file);

  /// After all masks: what keeps the rule from being applied, with the flag that mends it; empty
  /// when all is well.
  std::string problem() const;

 private:
  std::string found() const;
  bool is_tumour(float value) const;

  MaskRule rule_;
  std::map<std::int64_t, std::string> names_;
  std::set<float> values_;  // the first few, and every label
  float lowest_ = 0, highest_ = 0;
  std::filesystem::path example_;  // the first file with a value other than 0 and 1
};

}  // namespace glia
