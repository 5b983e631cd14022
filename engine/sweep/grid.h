// What a sweep varies: lists of values of `glia train`'s flags, and the trials that they make.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace glia::sweep {

/// A flag of `glia train` that a sweep takes a list for.
struct Setting {
  const char* flag;                       // without its dashes
  const char* title;                      // in tables and charts
  const char* word;                       // before a value, as in "batch 4"
  char separator;                         // between the values of a list
  bool whole;                             // a whole number, so that charts have a scale for it
  std::string (*read)(std::string_view);  // one value as it is always written; throws `Error`
};

/// All of them, in the order of `Trial::values`.
std::span<const Setting> settings();

/// Places in `settings()`.
enum : std::size_t { kBatchSize, kLearningRate, kOptimizer, kLoss, kBaseWidth, kAugment };

/// "4,6,12" as values. Throws `Error` naming the flag on values that the setting does not have, and
/// on one that stands there twice.
std::vector<std::string> read_values(const Setting& setting, std::string_view list);

/// "1,2,5" as ascending epochs, each 1 or more. Throws `Error`.
std::vector<std::int64_t> read_epochs(std::string_view list);

/// One combination of settings with one seed.
struct Point {
  std::vector<std::string> values;  // one a setting
  std::uint64_t seed = 0;
};

struct Grid {
  std::vector<std::vector<std::string>> values;  // one list a setting, none empty
  std::int64_t seeds = 1;                        // 0, 1, ... below it

  /// Every combination with seed 0, then with seed 1, and so on: a sweep that is cut short has
  /// compared all settings. The last setting changes fastest.
  std::vector<Point> points() const;
  /// Settings with more than one value.
  std::vector<std::size_t> varied() const;
};

}  // namespace glia::sweep
