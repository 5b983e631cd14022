#include "engine/import/likeness.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace glia {

namespace {

constexpr std::size_t kNamed = 3;

/// "12 of 2 x 3 (first a.png)" of each key by `name`, where there are few; else the first, the last
/// and the most common.
template <class Map, class Name>
std::string list_kinds(const Map& kinds, const char* what, Name&& name) {
  const auto text = [&](const auto& kind) {
    return fmt::format("{} {} (first {})", kind.second.slices, name(kind.first),
                       kind.second.file.string());
  };
  if (kinds.size() <= kNamed) {
    std::vector<std::string> texts;
    for (const auto& kind : kinds) texts.push_back(text(kind));
    return fmt::format("{}", fmt::join(texts, ", "));
  }
  const auto most = std::max_element(kinds.begin(), kinds.end(), [](const auto& a, const auto& b) {
    return a.second.slices < b.second.slices;
  });
  return fmt::format("{} {}: from {} to {}, most often {}", kinds.size(), what,
                     text(*kinds.begin()), text(*kinds.rbegin()), text(*most));
}

std::string depth_name(const std::vector<float>& most) {
  if (std::all_of(most.begin(), most.end(), [](float m) { return m == 0; }))
    return "without a depth";
  return fmt::format("up to {}", fmt::join(most, ";"));
}

}  // namespace

void Likeness::add(Size size, std::int64_t channels, const std::vector<float>& most,
                   const std::filesystem::path& file) {
  for (Example* example :
       {&sizes_[{size.height, size.width}], &channels_[channels], &depths_[most]})
    if (example->slices++ == 0) example->file = file;
}

Size Likeness::size() const {
  return {sizes_.begin()->first.first, sizes_.begin()->first.second};
}

std::int64_t Likeness::channels() const {
  return channels_.begin()->first;
}

std::string Likeness::problem() const {
  std::vector<std::string> differences, advice;
  if (sizes_.size() > 1) {
    differences.push_back(list_kinds(sizes_, "sizes", [](const auto& size) {
      return fmt::format("of {} x {}", size.first, size.second);
    }));
    Size largest;
    for (const auto& [size, example] : sizes_)
      largest = {std::max(largest.height, size.first), std::max(largest.width, size.second)};
    advice.push_back(fmt::format("--pad-to {0}x{1} or --resize {0}x{1} gives them one size",
                                 largest.height, largest.width));
  }
  if (channels_.size() > 1) {
    differences.push_back(list_kinds(channels_, "numbers of channels", [](std::int64_t channels) {
      return fmt::format("with {} channels", channels);
    }));
    advice.push_back("choose channels with --take-channels");
  }
  if (depths_.size() > 1) {
    differences.push_back(list_kinds(depths_, "depths", depth_name));
    advice.push_back("convert them to one depth");
  }
  if (differences.empty()) return {};
  return fmt::format("the slices are not alike: {}; {}", fmt::join(differences, "; "),
                     fmt::join(advice, ", "));
}

}  // namespace glia
