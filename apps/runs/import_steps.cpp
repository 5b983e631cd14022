#include "apps/runs/import_steps.h"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/import/import.h"
#include "engine/runtime/memory_room.h"

namespace glia {

namespace {

constexpr const char* kKey = "import";
constexpr std::int64_t kMostChannels = 1 << 16;

Size checked_size(const nlohmann::json& json, const std::string& what) {
  check(json.is_array() && json.size() == 2 && json[0].is_number_integer() &&
            json[1].is_number_integer(),
        "{} is no pair of height and width", what);
  return parse_size(fmt::format("{}x{}", json[0].get<std::int64_t>(), json[1].get<std::int64_t>()),
                    what);
}

std::optional<Size> size_of(const nlohmann::json& steps, const char* key) {
  if (!steps.contains(key) || steps[key].is_null()) return std::nullopt;
  return checked_size(steps[key], fmt::format("import: '{}'", key));
}

std::vector<std::int64_t> channels_of(const nlohmann::json& steps) {
  std::vector<std::int64_t> channels;
  if (!steps.contains("take_channels")) return channels;
  const nlohmann::json& list = steps["take_channels"];
  check(list.is_array(), "import: 'take_channels' is no list");
  for (const auto& item : list) {
    const std::int64_t channel = item.is_number_integer() ? item.get<std::int64_t>() : -1;
    check(channel >= 0 && channel < kMostChannels,
          "import: 'take_channels' holds what is no channel");
    channels.push_back(channel);
  }
  return channels;
}

/// What import's record has of what was done to every image.
constexpr const char* kSteps[] = {"plane",  "orientation", "take_channels",
                                  "resize", "stretch",     "pad_to"};

ImportSteps parse(const nlohmann::json& steps) {
  const std::string name = "import";
  nlohmann::json known;
  for (const char* key : kSteps) known[key] = nullptr;
  check_known_keys(steps, known, name);
  ImportSteps result;
  result.stack.plane = parse_slice_plane(json_field<std::string>(steps, "plane", "axial", name));
  result.stack.as_stored =
      parse_as_stored(json_field<std::string>(steps, "orientation", "header", name));
  result.stack.take_channels = channels_of(steps);
  result.resize = size_of(steps, "resize");
  result.pad_to = size_of(steps, "pad_to");
  result.stretch = json_field<bool>(steps, "stretch", false, name);
  return result;
}

}  // namespace

nlohmann::json ImportSteps::of_folder(const std::filesystem::path& folder) {
  const std::filesystem::path record = folder / kImportRecord;
  if (!std::filesystem::exists(record)) return nullptr;
  const nlohmann::json all = parse_json(read_text(record), record.string());
  check(all.is_object(), "{}: is no JSON object; import the data again", record.string());
  nlohmann::json steps = nlohmann::json::object();
  for (const char* key : kSteps)
    if (all.contains(key)) steps[key] = all[key];
  in_file(record, [&] { return parse(steps); });
  return steps;
}

ImportSteps ImportSteps::of_checkpoint(const nlohmann::json& info) {
  return info.contains(kKey) && !info[kKey].is_null() ? parse(info[kKey]) : ImportSteps{};
}

std::string ImportSteps::str() const {
  std::vector<std::string> steps;
  if (!stack.take_channels.empty())
    steps.push_back(fmt::format("channels {}", fmt::join(stack.take_channels, " ")));
  if (resize)
    steps.push_back(fmt::format("{} {} x {}", stretch ? "stretched to" : "resized to fit into",
                                resize->height, resize->width));
  if (pad_to) steps.push_back(fmt::format("padded to {} x {}", pad_to->height, pad_to->width));
  return fmt::format("{}", fmt::join(steps, ", "));
}

void ImportSteps::check_room(const std::string& name, const std::string& advice) const {
  const std::optional<Size> size = pad_to ? pad_to : resize;
  const std::optional<MemoryLimit> limit = least_memory();
  if (!size || !limit) return;
  // In one channel; it may have more.
  const auto bytes = static_cast<std::size_t>(size->height * size->width) * sizeof(float);
  check(bytes <= limit->free,
        "{}: slices of {} x {} take {:.0f} MiB or more each, and {:.0f} MiB are free{}; {}", name,
        size->height, size->width, mib(bytes), mib(limit->free),
        limit->device ? "" : " under " + limit->str(), advice);
}

Slice ImportSteps::apply(std::span<const float> image, Size size, std::int64_t channels) const {
  const Fit to = fit(size, resize, stretch, pad_to);
  return {to.outer.height, to.outer.width, channels, fit_image(image, size, channels, to), {}};
}

std::vector<float> ImportSteps::undo(const std::vector<float>& map, Size size) const {
  return unfit_map(map, fit(size, resize, stretch, pad_to), size);
}

}  // namespace glia
