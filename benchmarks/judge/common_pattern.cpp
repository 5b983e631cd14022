#include "benchmarks/judge/common_pattern.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

namespace glia::test {

namespace {

using Elements = std::vector<ComparedElement>;

std::vector<std::int64_t> coordinates(const Shape& shape, std::size_t place) {
  std::vector<std::int64_t> at(static_cast<std::size_t>(shape.rank()));
  auto rest = static_cast<std::int64_t>(place);
  for (int axis = shape.rank(); axis-- > 0;) {
    at[static_cast<std::size_t>(axis)] = rest % shape[axis];
    rest /= shape[axis];
  }
  return at;
}

double largest_expected(const Elements& elements) {
  double scale = 0;
  for (const ComparedElement& e : elements) scale = std::max(scale, std::abs(e.expected));
  return scale;
}

/// "each is -1 times what it should be", where one factor explains all that are wrong.
std::string factor_text(const Elements& wrong, double scale) {
  double factor = 0;
  bool first = true;
  for (const ComparedElement& e : wrong) {
    if (std::abs(e.expected) < 1e-3 * scale) continue;
    const double here = e.found / e.expected;
    if (!first && std::abs(here - factor) > 1e-3 * std::max(1.0, std::abs(factor))) return "";
    if (first) factor = here;
    first = false;
  }
  if (first) return "";
  if (factor == 0) return "each of them is 0: the gradient is lost there";
  return fmt::format("each of them is {:.3g} times what it should be", factor);
}

/// How many are lost, where that are some of them.
std::string zeros_text(const Elements& wrong) {
  const auto zeros = std::count_if(wrong.begin(), wrong.end(),
                                   [](const ComparedElement& e) { return e.found == 0; });
  if (zeros == 0 || zeros == static_cast<std::ptrdiff_t>(wrong.size())) return "";
  return fmt::format("{} of them are 0: what should reach them is lost", zeros);
}

/// "exactly those with index 0, 1 of axis 3", where the places along one axis tell wrong from
/// right.
std::string axis_text(const Shape& shape, const Elements& elements) {
  for (int axis = shape.rank(); axis-- > 0;) {
    std::set<std::int64_t> wrong, right, both;
    for (const ComparedElement& e : elements)
      (e.wrong ? wrong : right).insert(coordinates(shape, e.place)[static_cast<std::size_t>(axis)]);
    std::set_intersection(wrong.begin(), wrong.end(), right.begin(), right.end(),
                          std::inserter(both, both.end()));
    if (!both.empty() || right.empty()) continue;
    return fmt::format("they are exactly those with index {} of axis {} of {}",
                       fmt::join(wrong, ", "), axis, shape.str());
  }
  return "";
}

/// Whether the error depends on the channel alone, of which there are several and many elements.
bool same_in_channel(const Shape& shape, const Elements& elements, double scale) {
  std::map<std::int64_t, std::pair<double, double>> ends;  // by channel
  for (const ComparedElement& e : elements) {
    const double error = e.found - e.expected;
    const auto [at, is_new] =
        ends.try_emplace(coordinates(shape, e.place).back(), std::pair(error, error));
    at->second = {std::min(at->second.first, error), std::max(at->second.second, error)};
  }
  return elements.size() > 2 * ends.size() &&
         std::all_of(ends.begin(), ends.end(), [&](const auto& channel) {
           return channel.second.second - channel.second.first < 1e-4 * scale;
         });
}

}  // namespace

std::string place_text(const Shape& shape, std::size_t place) {
  return fmt::format("[{}]", fmt::join(coordinates(shape, place), ", "));
}

std::vector<std::string> common_pattern(const Shape& shape, const Elements& elements) {
  Elements wrong;
  std::copy_if(elements.begin(), elements.end(), std::back_inserter(wrong),
               [](const ComparedElement& e) { return e.wrong; });
  if (wrong.empty()) return {};
  const double scale = largest_expected(elements);
  std::vector<std::string> lines{
      fmt::format("{} of {} elements are wrong", wrong.size(), elements.size())};
  for (const std::string& line :
       {factor_text(wrong, scale), zeros_text(wrong), axis_text(shape, elements)})
    if (!line.empty()) lines.push_back(line);
  if (same_in_channel(shape, elements, scale))
    lines.emplace_back("the error is the same all over a channel: a term a channel is missing");
  if (lines.size() == 1)
    lines.emplace_back("no factor, no index and no channel tells them from the others");
  return lines;
}

}  // namespace glia::test
