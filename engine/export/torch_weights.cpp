#include "engine/export/torch_weights.h"

#include <deque>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/json.h"
#include "engine/export/layout.h"
#include "engine/train/checkpoint.h"

namespace glia {

namespace {

// Another key than a checkpoint's: the same names in another layout must not pass for one.
constexpr const char* kKey = "glia-weights";
constexpr const char* kCheckpointKey = "glia";

std::vector<std::int64_t> extents(const Shape& shape) {
  std::vector<std::int64_t> list;
  for (int d = 0; d < shape.rank(); ++d) list.push_back(shape[d]);
  return list;
}

template <class Visit>
void each_tensor(const nn::ParameterSet& set, Visit&& visit) {
  for (const auto* list : {&set.parameters(), &set.buffers()})
    for (const nn::Parameter& p : *list) visit(p, extents(p.shape));
}

}  // namespace

void export_weights(const std::filesystem::path& path, const nn::ParameterSet& parameters,
                    const nlohmann::json& info) {
  std::vector<SafeTensors::Entry> entries;
  std::deque<std::vector<float>> values;  // at addresses that stay
  each_tensor(parameters, [&](const nn::Parameter& p, const std::vector<std::int64_t>& shape) {
    values.push_back(channels_second(p.value.to_vector<float>(), shape));
    entries.push_back({.name = p.name, .shape = channels_second(shape), .values = values.back()});
  });
  std::map<std::string, std::string> metadata{{"format", "pt"}};
  if (!info.is_null()) metadata[kKey] = json_text(info);
  write_safetensors(path, entries, metadata);
}

SafeTensors read_weights(const std::filesystem::path& path) {
  SafeTensors weights = read_safetensors(path, ".num_batches_tracked");
  check(!weights.metadata.contains(kCheckpointKey),
        "{}: is a checkpoint of Glia already, in Glia's layout; use it as it is", path.string());
  return weights;
}

nlohmann::json info_of(const SafeTensors& weights, const std::string& file) {
  const auto at = weights.metadata.find(kKey);
  if (at == weights.metadata.end()) return nullptr;
  const auto info = parse_json(at->second, fmt::format("{}: its metadata '{}'", file, kKey));
  check(info.is_object(), "{}: its metadata '{}' are no JSON object; leave them out of the file",
        file, kKey);
  return info;
}

void check_weights(const SafeTensors& weights, const nn::ParameterSet& parameters,
                   const std::string& file) {
  std::set<std::string> known;
  each_tensor(parameters, [&](const nn::Parameter& p, const std::vector<std::int64_t>& shape) {
    check_values(p.name, weights.find(p.name, channels_second(shape), file), file);
    known.insert(p.name);
  });
  for (const SafeTensors::Entry& entry : weights.entries)
    check(known.contains(entry.name),
          "{}: the tensor '{}' has no place in this network; docs/interchange.md lists its tensors",
          file, entry.name);
}

void import_weights(const SafeTensors& weights, nn::ParameterSet& parameters,
                    const std::string& file) {
  check_weights(weights, parameters, file);
  each_tensor(parameters, [&](const nn::Parameter& p, const std::vector<std::int64_t>& shape) {
    p.value.copy_from(channels_last(weights.find(p.name, channels_second(shape), file), shape));
  });
}

}  // namespace glia
