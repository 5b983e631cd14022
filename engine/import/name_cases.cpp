// The ids of cases, and of files that are predicted without an import.
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

std::vector<std::string> ids_of_cases(const std::vector<CaseName>& names) {
  std::set<std::string> unique;
  for (const CaseName& name : names) unique.insert(name.own_part);
  const bool by_name = unique.size() == names.size() && !unique.contains("");
  std::vector<std::string> ids;
  for (const CaseName& name : names) {
    const std::string whole = (fs::path(name.folder) / name.own_part).string();
    ids.push_back(
        clean(by_name ? name.own_part : whole.substr(0, whole.find_last_not_of('/') + 1)));
  }
  return ids;
}

void name_cases(ImportCases& found, const std::vector<std::string>& own_parts) {
  std::vector<CaseName> names;
  for (std::size_t i = 0; i < own_parts.size(); ++i)
    names.push_back({found.cases[i].folder, own_parts[i]});
  const std::vector<std::string> ids = ids_of_cases(names);
  std::map<std::string, const ImportCase*> taken;
  for (std::size_t i = 0; i < found.cases.size(); ++i) {
    ImportCase& one = found.cases[i];
    one.id = ids[i];
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
