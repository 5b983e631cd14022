// Which slices belong together. Slices of one patient look alike, so a split keeps them on one
// side.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace glia {

/// The table of slices in an imported folder, with the columns id, group (the patient), slice,
/// image, mask, row_mm and column_mm. `csv:` rules of assign_groups read it.
inline constexpr const char* kSliceTable = "manifest.csv";

/// What a rule that names a table begins with.
inline constexpr std::string_view kTableRule = "csv:";

/// FILE of a rule "csv:FILE"; empty for other rules.
std::filesystem::path table_of_rule(std::string_view rule);

/// The group (patient) of every id, by one of these rules:
///   "id/N"       the id, a number, divided by N and rounded down
///   "regex:R"    what the one capture group of the regular expression R (ECMAScript) finds in the
///                id, which is the file name without "_img.npy"
///   "csv:FILE"   a table with the columns `id` and `group` in a header line
///   "none"       every slice its own group
/// Throws `Error` on an unknown rule and naming the (first) ids that a rule says nothing about.
std::map<std::string, std::string> assign_groups(const std::vector<std::string>& ids,
                                                 const std::string& rule);

/// The same without the ids that the rule says nothing about.
std::map<std::string, std::string> known_groups(const std::vector<std::string>& ids,
                                                const std::string& rule);

}  // namespace glia
