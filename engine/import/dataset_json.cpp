// dataset.json of the Medical Segmentation Decathlon and of nnU-Net.
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/formats/stack.h"
#include "engine/import/collect_files.h"
#include "engine/import/import_cases.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kShown = 100;  // characters of an entry in a message

std::string channel_suffix(std::size_t channel) {
  return fmt::format("_{:04}", channel);
}

/// Both ways round: {"1": "edema"} and {"edema": 1}. Regions made of several labels have no value.
std::map<std::int64_t, std::string> read_labels(const nlohmann::json& json) {
  std::map<std::int64_t, std::string> labels;
  if (!json.is_object()) return labels;
  for (const auto& [key, value] : json.items()) {
    std::int64_t label = 0;
    const char* last = key.data() + key.size();
    const auto [end, error] = std::from_chars(key.data(), last, label);
    if (value.is_string() && error == std::errc() && end == last)
      labels[label] = value.get<std::string>();
    else if (value.is_number_integer())
      labels[value.get<std::int64_t>()] = key;
  }
  return labels;
}

/// How many channels an image has, each an nnU-Net file.
std::size_t count_channels(const nlohmann::json& json, const fs::path& file) {
  constexpr std::size_t kMostChannels = 1024;
  for (const char* key : {"channel_names", "modality"})
    if (json.contains(key) && json[key].is_object() && !json[key].empty()) {
      check(json[key].size() <= kMostChannels, "{}: names {} channels, expected {} or fewer",
            file.string(), json[key].size(), kMostChannels);
      return json[key].size();
    }
  fail("{}: no object 'channel_names' or 'modality' that says which channels there are; add it",
       file.string());
}

/// The file itself, or nnU-Net's files of its channels.
std::vector<fs::path> image_files(const fs::path& image, std::size_t channels) {
  if (fs::exists(image)) return {image};
  const std::string stem = stem_of(image);
  const std::string ending = image.filename().string().substr(stem.size());
  std::vector<fs::path> files;
  for (std::size_t c = 0; c < channels; ++c)
    files.push_back(image.parent_path() / (stem + channel_suffix(c) + ending));
  // A picture in colour is one file for all of them.
  if (channels > 1 && fs::exists(files[0]) && !fs::exists(files[1])) files.resize(1);
  return files;
}

/// Whether a file named in a data set lies elsewhere than below its folder.
bool leads_outside(const std::string& name) {
  const fs::path path = fs::path(name).lexically_normal();
  return path.is_absolute() || (!path.empty() && *path.begin() == "..");
}

ImportCases read_list(const nlohmann::json& json, const fs::path& file, bool allow_outside) {
  ImportCases found;
  std::vector<std::string> own_parts;
  std::set<fs::path> listed_images;
  std::map<fs::path, fs::path> images_of_labels;
  const std::size_t channels = count_channels(json, file);
  for (const nlohmann::json& entry : json["training"]) {
    const auto text = [&](const char* key) {
      check(entry.is_object() && entry.contains(key) && entry[key].is_string() &&
                !entry[key].get<std::string>().empty(),
            "{}: an entry of 'training' is {}; expected {{\"image\": FILE, \"label\": FILE}}",
            file.string(), json_text(entry).substr(0, kShown));
      return entry[key].get<std::string>();
    };
    const auto place = [&](const char* key) {
      return (file.parent_path() / text(key)).lexically_normal();
    };
    bool whole = true;
    for (const char* key : {"image", "label"}) {
      if (allow_outside || !leads_outside(text(key))) continue;
      found.problems.add("files outside of the data set",
                         fmt::format("{}: the file {} lies outside of its folder; --allow-outside "
                                     "reads it, if you trust whoever wrote the list",
                                     file.string(), printable_name(text(key))));
      whole = false;
    }
    if (!whole) continue;
    const fs::path image = place("image");
    if (!listed_images.insert(image).second) {
      found.problems.add("files that are listed twice",
                         fmt::format("{}: lists {} twice; remove one of the entries", file.string(),
                                     image.string()));
      continue;
    }
    if (image == place("label")) {
      found.problems.add("files that are image and label in one",
                         fmt::format("{}: lists {} as image and as its label; name the label's own "
                                     "file, or remove the entry",
                                     file.string(), image.string()));
      continue;
    }
    const auto [label, is_new] = images_of_labels.emplace(place("label"), image);
    if (!is_new) {
      found.problems.add("labels of two images",
                         fmt::format("{}: lists {} as the label of {} and of {}; name each one's "
                                     "own file, or remove one of the entries",
                                     file.string(), label->first.string(), label->second.string(),
                                     image.string()));
      continue;
    }
    ImportCase one{"", "", image_files(image, channels), {place("label")}};
    std::vector<fs::path> needed = one.images;
    needed.push_back(one.masks[0]);
    for (const fs::path& path : needed) {
      if (fs::exists(path)) continue;
      const fs::path& listed = &path == &needed.back() ? path : image;
      const std::string reason = fs::is_symlink(path) ? why_unreadable(path) : "";
      found.problems.add(
          "files that are not there",
          !reason.empty()
              ? reason
              : fmt::format(
                    "{}: no such file{}, {} {} lists{}; unpack the data set again", path.string(),
                    path == listed ? "" : fmt::format(", nor {}", listed.string()),
                    path == listed ? "but" : "which", file.string(), path == listed ? " it" : ""));
      whole = false;
    }
    if (!whole) continue;
    own_parts.push_back(stem_of(image));
    found.cases.push_back(std::move(one));
  }
  check(!found.cases.empty() || !found.problems.empty(), "{}: the list 'training' is empty",
        file.string());
  name_cases(found, own_parts);
  return found;
}

/// Whether a picture or volume of a folder has that suffix.
bool any_ends_in(const fs::path& folder, const std::string& suffix) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (is_stack_name(entry->path()) && stem_of(entry->path()).ends_with(suffix)) return true;
  return false;
}

ImportCases read_folders(const nlohmann::json& json, const fs::path& file) {
  ImportNames names{"imagesTr", "labelsTr", {channel_suffix(0)}, ""};
  const std::size_t channels = count_channels(json, file);
  // A picture in colour is one file for all channels.
  if (any_ends_in(file.parent_path() / names.images, channel_suffix(1)))
    for (std::size_t c = 1; c < channels; ++c) names.image_suffixes.push_back(channel_suffix(c));
  ImportCases found = find_cases(file.parent_path(), names);
  const auto expected = json.find("numTraining");
  if (expected != json.end() && expected->is_number_integer() && found.problems.empty() &&
      expected->get<std::int64_t>() != std::ssize(found.cases))
    found.problems.add(
        "counts", fmt::format("{}: numTraining is {}, but there are {} cases; unpack the data "
                              "set again or mend the number",
                              file.string(), expected->get<std::int64_t>(), found.cases.size()));
  return found;
}

}  // namespace

ImportCases read_dataset_json(const fs::path& file, bool allow_outside) {
  const nlohmann::json json = parse_json(read_text(file), file.string());
  check(json.is_object(), "{}: is no JSON object; copy the file again", file.string());
  const bool has_list = json.contains("training") && json["training"].is_array();
  check(has_list || json.contains("file_ending"),
        "{}: has neither a list 'training' (Medical Segmentation Decathlon, nnU-Net 1) nor "
        "'file_ending' (nnU-Net 2); see docs/data.md",
        file.string());
  ImportCases found = has_list ? read_list(json, file, allow_outside) : read_folders(json, file);
  found.channels = static_cast<std::int64_t>(count_channels(json, file));
  if (json.contains("labels")) found.labels = read_labels(json["labels"]);
  return found;
}

}  // namespace glia
