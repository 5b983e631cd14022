#include "benchmarks/gpu_kit/results.h"

#include "engine/base/file.h"
#include "engine/base/json.h"

namespace glia::kit {

Results::Results(std::filesystem::path folder, nlohmann::ordered_json kit)
    : folder_(std::move(folder)),
      all_({{"kit", std::move(kit)}, {"steps", nlohmann::ordered_json::array()}}) {
  write();
}

void Results::add(nlohmann::ordered_json step) {
  all_["steps"].push_back(std::move(step));
  write();
}

const nlohmann::ordered_json* Results::find(const std::string& name) const {
  for (const nlohmann::ordered_json& step : all_["steps"])
    if (step["name"].get<std::string>() == name && step.contains("result")) return &step["result"];
  return nullptr;
}

void Results::write() const {
  write_file_atomically(folder_ / kResultsFile, json_text(all_, 1) + "\n");
}

}  // namespace glia::kit
