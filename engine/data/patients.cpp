#include "engine/data/patients.h"

#include <set>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/data/group.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

using Groups = std::map<std::string, std::string>;

constexpr const char* kGiven = "--group-by";

/// The rule of the table beside the slices; empty where there is none.
std::string beside(const fs::path& data) {
  const fs::path table = data / kSliceTable;
  return fs::exists(table) ? std::string(kTableRule) + table.string() : "";
}

bool is_whole(const Groups& groups, const std::vector<std::string>& ids) {
  return groups.size() == std::set<std::string>(ids.begin(), ids.end()).size();
}

/// What the rule lacks, for people.
std::string lack(const Groups& groups, const std::vector<std::string>& ids) {
  std::vector<std::string> missing;
  for (const std::string& id : ids)
    if (!groups.contains(id)) missing.push_back(id);
  return fmt::format("says nothing about {} of {} slices: {}", missing.size(), ids.size(),
                     first_few(missing, 3));
}

/// Whether both put the same slices together, whatever they call the patients.
bool alike(const Groups& a, const Groups& b) {
  std::map<std::string, std::string> there, back;
  for (const auto& [id, group] : a) {
    const std::string& other = b.at(id);
    if (there.emplace(group, other).first->second != other) return false;
    if (back.emplace(other, group).first->second != group) return false;
  }
  return true;
}

/// The patients by a rule that nobody asked for now. Errors say where it comes from.
Groups groups_by(const EarlierRule& earlier, const std::vector<std::string>& ids) {
  try {
    return known_groups(ids, earlier.rule);
  } catch (const Error& error) {
    fail("{}: {}; mend that, or pass --group-by", earlier.owner, error.what());
  }
}

/// Throws where the rule names a table that is gone.
void check_table(const EarlierRule& earlier, const std::vector<std::string>& ids,
                 const fs::path& data) {
  if (!earlier.rule.starts_with(kTableRule)) return;
  const std::string file = earlier.rule.substr(kTableRule.size());
  if (fs::exists(file)) return;
  const std::string own = beside(data);
  const bool own_fits = !own.empty() && is_whole(known_groups(ids, own), ids);
  fail(
      "{}: is not there, and by it {} says whose slices these are; put it back, or pass --group-by "
      "{}, or --group-by none to go on without patients",
      file, earlier.owner,
      own_fits ? own + " (the table beside the slices)" : "csv:FILE with where it is now");
}

/// Where the table beside the slices says something else than the rule that was taken.
void compare_with_table(Patients& patients, const fs::path& data) {
  const std::string own = beside(data);
  if (own.empty() || own == patients.rule) return;
  std::vector<std::string> ids;
  for (const auto& [id, patient] : patients.of) ids.push_back(id);
  Groups groups;
  try {
    groups = known_groups(ids, own);
  } catch (const Error&) {
    return;  // nobody asked for it
  }
  if (!is_whole(groups, ids) || alike(patients.of, groups)) return;
  const Patients other{.rule = own, .source = "", .of = groups};
  patients.warnings.push_back(
      fmt::format("{} knows {} patients, not {}; to go by it pass --group-by {}",
                  own.substr(kTableRule.size()), other.count(), patients.count(), own));
}

}  // namespace

std::string Patients::at(const std::string& id) const {
  const auto found = of.find(id);
  return found == of.end() ? "" : found->second;
}

std::int64_t Patients::count() const {
  std::set<std::string> names;
  for (const auto& [id, patient] : of) names.insert(patient);
  return std::ssize(names);
}

std::string Patients::str() const {
  if (known()) return fmt::format("{}, by {} ({})", count(), rule, source);
  if (source == kGiven) return "unknown (--group-by none)";
  return fmt::format(
      "unknown: neither a split nor a readable {} beside the slices says whose they are; pass "
      "--group-by "
      "id/N, "
      "regex:EXPRESSION or csv:FILE",
      kSliceTable);
}

Patients find_patients(const std::vector<std::string>& ids, const std::string& given,
                       const std::vector<EarlierRule>& earlier, const fs::path& data) {
  if (given == "none") return {.rule = given, .source = kGiven, .of = {}};
  if (!given.empty()) return {.rule = given, .source = kGiven, .of = assign_groups(ids, given)};
  std::vector<EarlierRule> rules = earlier;
  rules.push_back({beside(data), "the table beside the slices"});
  Patients patients;
  for (const EarlierRule& candidate : rules) {
    if (candidate.rule.empty() || candidate.rule == "none") continue;
    check_table(candidate, ids, data);
    Groups groups = groups_by(candidate, ids);
    if (is_whole(groups, ids)) {
      patients.rule = candidate.rule;
      patients.source = candidate.owner;
      patients.of = std::move(groups);
      compare_with_table(patients, data);
      break;
    }
    patients.warnings.push_back(
        fmt::format("{}: {} {}", candidate.owner, candidate.rule, lack(groups, ids)));
  }
  return patients;
}

}  // namespace glia
