#include "apps/terminal/sparkline.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace glia {

void Sparkline::add(double value) {
  if (!std::isfinite(value)) return;
  const bool full = series_.empty() || series_.back().values == values_per_cell_;
  if (full && series_.size() == cells_) {
    for (std::size_t i = 0; 2 * i < cells_; ++i) {
      const Cell &a = series_[2 * i], &b = series_[2 * i + 1];
      series_[i] = {a.sum + b.sum, a.values + b.values};
    }
    series_.resize(cells_ / 2);
    values_per_cell_ *= 2;
  }
  if (full) series_.emplace_back();
  series_.back().sum += value;
  ++series_.back().values;
}

std::string Sparkline::str() const {
  constexpr std::array kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (series_.empty()) return {};
  const auto less = [](const Cell& a, const Cell& b) { return a.mean() < b.mean(); };
  const auto [least, most] = std::minmax_element(series_.begin(), series_.end(), less);
  const double low = least->mean(), range = most->mean() - low;
  std::string line;
  for (const Cell& cell : series_) {
    const double share = range > 0 ? (cell.mean() - low) / range : 0;
    line += kBlocks[static_cast<std::size_t>(std::lround(share * (kBlocks.size() - 1)))];
  }
  return line;
}

}  // namespace glia
