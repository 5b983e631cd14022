#include "apps/runs/patient_rules.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/data/split_folder.h"

namespace glia {

EarlierRule rule_of_list(const std::string& list) {
  if (list.empty()) return {};
  const std::filesystem::path folder = folder_of(list);
  return {rule_of_split(folder), fmt::format("the split in {}", folder.string())};
}

EarlierRule rule_of_run(const nlohmann::json& info) {
  const nlohmann::json::json_pointer place("/split/group_by");
  if (!info.contains(place) || !info.at(place).is_string()) return {};
  return {rule_of_text(info.at(place).get<std::string>()), "the run's split"};
}

void print_patients(const Patients& patients) {
  fmt::print("patients: {}\n", printable(patients.str()));
}

}  // namespace glia
