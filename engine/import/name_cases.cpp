// The ids of cases.
#include <algorithm>
#include <set>

#include "engine/base/check.h"
#include "engine/data/dataset.h"
#include "engine/import/import_cases.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

/// An id goes into file names, where a dot in front would hide them, and into lists of one id a
/// line, whose ends are trimmed.
std::string clean(std::string id) {
  if (id.empty()) return "case";
  for (char& c : id)
    if (c == '/' || c == '\\' || c == '"' || static_cast<unsigned char>(c) < ' ') c = '_';
  if (id.front() == ' ' || id.front() == '.') id.front() = '_';
  if (id.back() == ' ') id.back() = '_';
  return id;
}

}  // namespace

void name_cases(ImportCases& found, const std::vector<std::string>& own_parts) {
  const std::set<std::string> unique(own_parts.begin(), own_parts.end());
  const bool by_name = unique.size() == own_parts.size() && !unique.contains("");
  std::map<std::string, const ImportCase*> taken;
  for (std::size_t i = 0; i < found.cases.size(); ++i) {
    ImportCase& one = found.cases[i];
    const std::string whole = (fs::path(one.folder) / own_parts[i]).string();
    one.id = clean(by_name ? own_parts[i] : whole.substr(0, whole.find_last_not_of('/') + 1));
    const auto [other, is_new] = taken.emplace(one.id, &one);
    if (!is_new)
      found.problems.add(
          "ids that clash",
          fmt::format("{}: would get the id {}, which {} has; rename one of them",
                      one.images[0].string(), one.id, other->second->images[0].string()));
  }
  std::sort(found.cases.begin(), found.cases.end(),
            [](const ImportCase& a, const ImportCase& b) { return id_less(a.id, b.id); });
}

}  // namespace glia
