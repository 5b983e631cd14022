#include "engine/train/postprocess.h"

#include <algorithm>

#include "engine/base/check.h"

namespace glia {

namespace {

enum class Neighbours { edges, edges_and_corners };

/// Visits every pixel that hangs together with `start` by steps onto pixels for which `take` holds.
/// `take` must mark what it takes, so that it refuses it the next time. With a stack of its own: a
/// recursion would be as deep as a region is large.
template <class Take>
void flood(std::int64_t start, std::int64_t height, std::int64_t width, Neighbours neighbours,
           Take&& take) {
  if (!take(start)) return;
  std::vector<std::int64_t> open{start};
  while (!open.empty()) {
    const std::int64_t at = open.back(), y = at / width, x = at % width;
    open.pop_back();
    for (std::int64_t dy = -1; dy <= 1; ++dy)
      for (std::int64_t dx = -1; dx <= 1; ++dx) {
        if (neighbours == Neighbours::edges && dy != 0 && dx != 0) continue;
        if (y + dy < 0 || y + dy >= height || x + dx < 0 || x + dx >= width) continue;
        const std::int64_t next = at + dy * width + dx;
        if (take(next)) open.push_back(next);
      }
  }
}

/// Clears the regions whose entry in `keep` is not set.
void keep_regions(std::span<float> mask, const Regions& regions, const std::vector<bool>& keep) {
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (regions.label[i] > 0 && !keep[static_cast<std::size_t>(regions.label[i] - 1)]) mask[i] = 0;
}

}  // namespace

std::string Postprocess::str() const {
  std::string text;
  const auto add = [&](bool wanted, const std::string& step) {
    if (wanted) text += (text.empty() ? "" : ", ") + step;
  };
  add(fill_holes, "fill-holes");
  add(keep_largest, "keep-largest");
  add(min_size > 1, fmt::format("min-size {}", min_size));
  return text;
}

Regions label_regions(std::span<const float> mask, std::int64_t height, std::int64_t width) {
  Regions regions{.label = std::vector<std::int32_t>(mask.size()), .size = {}};
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == 0 || regions.label[i] != 0) continue;
    const auto number = static_cast<std::int32_t>(regions.size.size() + 1);
    std::int64_t size = 0;
    flood(static_cast<std::int64_t>(i), height, width, Neighbours::edges_and_corners,
          [&](std::int64_t at) {
            const auto pixel = static_cast<std::size_t>(at);
            if (mask[pixel] == 0 || regions.label[pixel] != 0) return false;
            regions.label[pixel] = number;
            ++size;
            return true;
          });
    regions.size.push_back(size);
  }
  return regions;
}

void fill_holes(std::span<float> mask, std::int64_t height, std::int64_t width) {
  std::vector<bool> outside(mask.size());
  const auto start = [&](std::int64_t y, std::int64_t x) {
    flood(y * width + x, height, width, Neighbours::edges, [&](std::int64_t at) {
      const auto pixel = static_cast<std::size_t>(at);
      if (mask[pixel] != 0 || outside[pixel]) return false;
      outside[pixel] = true;
      return true;
    });
  };
  for (std::int64_t y = 0; y < height; ++y) {
    start(y, 0);
    start(y, width - 1);
  }
  for (std::int64_t x = 0; x < width; ++x) {
    start(0, x);
    start(height - 1, x);
  }
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (mask[i] == 0 && !outside[i]) mask[i] = 1;
}

void keep_largest(std::span<float> mask, std::int64_t height, std::int64_t width) {
  const Regions regions = label_regions(mask, height, width);
  if (regions.size.empty()) return;
  std::vector<bool> keep(regions.size.size());
  const auto largest = std::max_element(regions.size.begin(), regions.size.end());
  keep[static_cast<std::size_t>(largest - regions.size.begin())] = true;
  keep_regions(mask, regions, keep);
}

void drop_small(std::span<float> mask, std::int64_t height, std::int64_t width,
                std::int64_t min_size) {
  const Regions regions = label_regions(mask, height, width);
  std::vector<bool> keep;
  for (const std::int64_t size : regions.size) keep.push_back(size >= min_size);
  keep_regions(mask, regions, keep);
}

void postprocess(const Postprocess& steps, std::span<float> mask, std::int64_t height,
                 std::int64_t width) {
  check(height > 0 && width > 0 && static_cast<std::int64_t>(mask.size()) == height * width,
        "postprocess: found {} pixels, expected {} x {}", mask.size(), height, width);
  if (steps.fill_holes) fill_holes(mask, height, width);
  if (steps.keep_largest) keep_largest(mask, height, width);
  if (steps.min_size > 1) drop_small(mask, height, width, steps.min_size);
}

}  // namespace glia
