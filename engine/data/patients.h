// Whose slices some slices are: by the rule that was asked for, else by the one that the data was
// split by, else by the table beside the slices, else nobody knows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace glia {

/// A rule that was chosen earlier, and where.
struct EarlierRule {
  std::string rule;   // see assign_groups; empty or "none" where it does not say whose slices are
  std::string owner;  // for people: "the run's split"
};

/// The patient of every slice, or of none.
struct Patients {
  std::string rule = "none";               // see assign_groups; "none" where nobody knows
  std::string source;                      // for people: who says so; empty where nobody does
  std::map<std::string, std::string> of;   // the patient by the id of the slice
  std::vector<std::string> warnings = {};  // rules that do not fit, tables that say something else

  bool known() const { return rule != "none"; }
  /// "" where it is not known.
  std::string at(const std::string& id) const;
  std::int64_t count() const;
  /// For people: how many patients, by which rule, and who says so; else what to pass.
  std::string str() const;
};

/// The first that speaks of all `ids`: `given`, the rule that was asked for ("" if none was, "none"
/// if patients are not wanted); `earlier`, in this order; the `kSliceTable` in the folder `data`.
/// Throws `Error` where assign_groups does for a rule that was given, and when the table that an
/// earlier rule names is not there: which other one would be right, only a person knows.
Patients find_patients(const std::vector<std::string>& ids, const std::string& given,
                       const std::vector<EarlierRule>& earlier, const std::filesystem::path& data);

}  // namespace glia
