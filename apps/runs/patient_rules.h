// The rules for patients that came with a run or a list, and how a command says which it took.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/data/patients.h"

namespace glia {

/// That of the split which the list of ids lies in; without a rule where it lies in none.
EarlierRule rule_of_list(const std::string& list);

/// That of the split which the run of a checkpoint was trained on; `info` is the checkpoint's.
EarlierRule rule_of_run(const nlohmann::json& info);

/// "patients: 12, by …" as a line.
void print_patients(const Patients& patients);

}  // namespace glia
