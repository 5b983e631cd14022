// What the steps found, in one file that is whole after every step.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace glia::kit {

/// The file `results.json`: {"kit": {…}, "steps": [{"name", "status", "reason", "seconds",
/// "limit_s", "result"}, …]}. A status is "done", "failed" (`reason` says at what; `result` holds
/// what was found before), or "skipped" (for want of what `reason` names).
class Results {
 public:
  /// Writes the file with no step in it. Throws `Error` where that cannot be.
  Results(std::filesystem::path folder, nlohmann::ordered_json kit);

  void add(nlohmann::ordered_json step);
  /// The result of a step that has been run; null where there is none.
  const nlohmann::ordered_json* find(const std::string& name) const;
  const nlohmann::ordered_json& all() const { return all_; }

 private:
  void write() const;

  std::filesystem::path folder_;
  nlohmann::ordered_json all_;
};

inline constexpr const char* kResultsFile = "results.json";

}  // namespace glia::kit
