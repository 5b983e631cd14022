#include "engine/formats/tensor_checksums.h"

#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"

namespace glia {

namespace {

constexpr const char* kMend =
    "the file has been damaged since; copy it again, or take another checkpoint";

std::string hash_values(std::span<const float> values) {
  return hash_text({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

std::string hash_metadata(std::map<std::string, std::string> metadata) {
  metadata.erase(kChecksumKey);
  return hash_text(nlohmann::json(metadata).dump());
}

}  // namespace

std::string tensor_checksums(std::span<const SafeTensors::Entry> entries,
                             const std::map<std::string, std::string>& metadata) {
  nlohmann::json sums = {{"metadata", hash_metadata(metadata)},
                         {"tensors", nlohmann::json::object()}};
  for (const SafeTensors::Entry& entry : entries)
    sums["tensors"][entry.name] = hash_values(entry.values);
  return sums.dump();
}

bool check_tensor_checksums(const SafeTensors& tensors, const std::string& ignored,
                            const std::string& file) {
  const auto stored = tensors.metadata.find(kChecksumKey);
  if (stored == tensors.metadata.end()) return false;
  const std::string name = file + ": its checksums";
  const auto sums = parse_json(stored->second, name);
  check(json_field<std::string>(sums, "metadata", name) == hash_metadata(tensors.metadata),
        "{}: the metadata are not those that were written; {}", file, kMend);
  check(sums.contains("tensors") && sums["tensors"].is_object(), "{}: name no tensors; {}", name,
        kMend);
  const nlohmann::json& known = sums["tensors"];
  for (const SafeTensors::Entry& entry : tensors.entries)
    check(json_field<std::string>(known, entry.name.c_str(), name) == hash_values(entry.values),
          "{}: tensor '{}': its bytes are not those that were written; {}", file, entry.name,
          kMend);
  std::size_t expected = 0;
  for (const auto& [tensor, hash] : known.items())
    expected += ignored.empty() || !tensor.ends_with(ignored);
  check(expected == tensors.entries.size(), "{}: found {} tensors, {} were written; {}", file,
        tensors.entries.size(), expected, kMend);
  return true;
}

}  // namespace glia
