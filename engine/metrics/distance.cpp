#include "engine/metrics/distance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/base/check.h"
#include "engine/metrics/percentile.h"

namespace glia {

namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();

struct Pixel {
  std::int64_t row, column;
};
using Outline = std::vector<Pixel>;

Outline outline_of(std::span<const float> mask, std::int64_t height, std::int64_t width) {
  const auto inside = [&](std::int64_t row, std::int64_t column) {
    return row >= 0 && column >= 0 && row < height && column < width &&
           mask[static_cast<std::size_t>(row * width + column)] > 0.5F;
  };
  Outline outline;
  for (std::int64_t r = 0; r < height; ++r)
    for (std::int64_t c = 0; c < width; ++c)
      if (inside(r, c) &&
          !(inside(r - 1, c) && inside(r + 1, c) && inside(r, c - 1) && inside(r, c + 1)))
        outline.push_back({r, c});
  return outline;
}

/// The least rectangle around both outlines. All that is asked and answered lies in it.
struct Box {
  Pixel first, last;

  explicit Box(const Outline& a, const Outline& b) : first(a.front()), last(a.front()) {
    for (const Outline* outline : {&a, &b})
      for (const Pixel& p : *outline) {
        first = {std::min(first.row, p.row), std::min(first.column, p.column)};
        last = {std::max(last.row, p.row), std::max(last.column, p.column)};
      }
  }
  std::int64_t height() const { return last.row - first.row + 1; }
  std::int64_t width() const { return last.column - first.column + 1; }
};

/// Squared distance from every pixel of a box to the nearest pixel of an outline, first along the
/// columns, then along the rows by the lower envelope of parabolas: exact, in time that depends on
/// the box alone (Felzenszwalb and Huttenlocher, "Distance transforms of sampled functions", Theory
/// of Computing 2012).
class DistanceMap {
 public:
  DistanceMap(const Outline& outline, const Box& box, const PixelSize& size)
      : box_(box), squared_(static_cast<std::size_t>(box.height() * box.width()), kFar) {
    for (const Pixel& p : outline) at(p.row - box.first.row, p.column - box.first.column) = 0;
    for (std::int64_t c = 0; c < box.width(); ++c) along_column(c, size.row);
    std::vector<Parabola> envelope;
    for (std::int64_t r = 0; r < box.height(); ++r) along_row(r, size.column, envelope);
  }

  double to(const Pixel& p) const {
    return std::sqrt(squared_[index(p.row - box_.first.row, p.column - box_.first.column)]);
  }

 private:
  /// (x - centre)^2 + height, the lowest of all from x = `from` on.
  struct Parabola {
    double centre, height, from;
  };

  std::size_t index(std::int64_t row, std::int64_t column) const {
    return static_cast<std::size_t>(row * box_.width() + column);
  }
  double& at(std::int64_t row, std::int64_t column) { return squared_[index(row, column)]; }

  void along_column(std::int64_t column, double step) {
    const auto pass = [&](std::int64_t row, std::int64_t direction) {
      double steps = kFar;
      for (; row >= 0 && row < box_.height(); row += direction) {
        double& value = at(row, column);
        steps = value == 0 ? 0 : steps + 1;
        value = std::min(value, steps * step * steps * step);
      }
    };
    pass(0, 1);
    pass(box_.height() - 1, -1);
  }

  void along_row(std::int64_t row, double step, std::vector<Parabola>& envelope) {
    envelope.clear();
    for (std::int64_t c = 0; c < box_.width(); ++c) {
      Parabola next{static_cast<double>(c) * step, at(row, c), -kFar};
      if (next.height == kFar) continue;
      while (!envelope.empty()) {
        const Parabola& top = envelope.back();
        next.from =
            (next.height - top.height + next.centre * next.centre - top.centre * top.centre) /
            (2 * (next.centre - top.centre));
        if (next.from > top.from) break;
        envelope.pop_back();
        next.from = -kFar;
      }
      envelope.push_back(next);
    }
    if (envelope.empty()) return;
    auto lowest = envelope.begin();
    for (std::int64_t c = 0; c < box_.width(); ++c) {
      const double x = static_cast<double>(c) * step;
      while (lowest + 1 != envelope.end() && (lowest + 1)->from <= x) ++lowest;
      at(row, c) = (x - lowest->centre) * (x - lowest->centre) + lowest->height;
    }
  }

  Box box_;
  std::vector<double> squared_;
};

double directed(const Outline& from, const DistanceMap& map) {
  std::vector<double> distances;
  distances.reserve(from.size());
  for (const Pixel& p : from) distances.push_back(map.to(p));
  return percentile(distances, 0.95);
}

}  // namespace

std::optional<double> hd95(std::span<const float> a, std::span<const float> b, std::int64_t height,
                           std::int64_t width, const PixelSize& size) {
  const auto count = static_cast<std::int64_t>(a.size());
  check(count == height * width && a.size() == b.size(),
        "hd95: masks of {} and {} pixels, expected {} x {}", a.size(), b.size(), height, width);
  const Outline first = outline_of(a, height, width), second = outline_of(b, height, width);
  if (first.empty() && second.empty()) return std::nullopt;
  if (first.empty() || second.empty())
    return std::hypot(static_cast<double>(height) * size.row,
                      static_cast<double>(width) * size.column);
  const Box box(first, second);
  return std::max(directed(first, DistanceMap(second, box, size)),
                  directed(second, DistanceMap(first, box, size)));
}

}  // namespace glia
