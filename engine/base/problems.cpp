#include "engine/base/problems.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/base/text.h"

namespace glia {

void Problems::add(const std::string& kind, const std::string& text) {
  auto at = std::find_if(kinds_.begin(), kinds_.end(),
                         [&](const Kind& known) { return known.name == kind; });
  if (at == kinds_.end()) at = kinds_.insert(at, {kind, {}});
  at->texts.push_back(printable_name(text));
  ++count_;
}

void Problems::add(const Problems& more) {
  for (const Kind& kind : more.kinds_)
    for (const std::string& text : kind.texts) add(kind.name, text);
}

std::vector<std::string> Problems::lines(std::size_t few) const {
  std::vector<std::string> all;
  for (const Kind& kind : kinds_) {
    const std::size_t shown = std::min(kind.texts.size(), few);
    all.insert(all.end(), kind.texts.begin(),
               kind.texts.begin() + static_cast<std::ptrdiff_t>(shown));
    if (shown < kind.texts.size())
      all.push_back(fmt::format("and {} more {}", kind.texts.size() - shown, kind.name));
  }
  return all;
}

std::string Problems::text(bool all) const {
  const std::vector<std::string> shown = all ? lines(count_) : lines();
  const bool cut = !all && shown != lines(count_);
  return fmt::format("  {}{}", fmt::join(shown, "\n  "),
                     cut ? fmt::format("\n  ({} names all)", kAllProblems) : "");
}

}  // namespace glia
