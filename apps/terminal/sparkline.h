// A curve in one line of text: ▇▆▄▃▂▂▁.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace glia {

/// Collects values and shows all of them in at most `cells` characters, the lowest value as the
/// lowest block. When the cells are full, neighbours are merged into their mean, so a long series
/// takes no more memory than a short one.
class Sparkline {
 public:
  /// `cells` is even.
  explicit Sparkline(std::size_t cells = 16) : cells_(cells) {}

  /// Values that are not finite are left out.
  void add(double value);
  /// UTF-8, one column a character; empty without values.
  std::string str() const;

 private:
  struct Cell {
    double sum = 0;
    std::size_t values = 0;
    double mean() const { return sum / static_cast<double>(values); }
  };

  std::size_t cells_;
  std::size_t values_per_cell_ = 1;
  std::vector<Cell> series_;
};

}  // namespace glia
