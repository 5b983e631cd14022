#include "apps/runs/run_inputs.h"

#include <filesystem>
#include <set>
#include <sstream>

#include "apps/runs/data_hashes.h"
#include "apps/runs/import_steps.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/data/split_folder.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr const char* kTrainCopy = "split/train.txt";
constexpr const char* kValCopy = "split/val.txt";
constexpr const char* kHashes = "split/files.xxh3";
constexpr const char* kNotWritten = "it is not what the run wrote there";
constexpr const char* kFromCopy = "take it from a copy of the run";

RunInputs load_lists(const std::string& data, const fs::path& train_list,
                     const fs::path& val_list) {
  const std::vector<Sample> all = scan_pairs(data);
  RunInputs inputs{
      .train = select_samples(all, train_list), .val = select_samples(all, val_list), .info = {}};
  std::set<std::string> seen;
  for (const Sample& sample : inputs.train) seen.insert(sample.id);
  for (const Sample& sample : inputs.val)
    check(!seen.contains(sample.id), "train: the slice {} stands in {} and in {}", sample.id,
          train_list.string(), val_list.string());
  inputs.info = {{"data", text_of_path(fs::absolute(data).lexically_normal())},
                 {"train_hash", hash_ids(inputs.train)},
                 {"val_hash", hash_ids(inputs.val)}};
  const auto steps = ImportSteps::of_folder(data);
  if (!steps.is_null()) inputs.info["import"] = steps;
  return inputs;
}

nlohmann::json read_manifest(const fs::path& split) {
  const fs::path file = split / "manifest.json";
  auto json = parse_json(read_text(file), file.string());
  check(json.is_object(), "{}: is no JSON object; run glia split again", file.string());
  json_field<bool>(json, "leaking", false, file.string());
  json_field<std::int64_t>(json, "identical_across_parts", 0, file.string());
  return json;
}

void add_manifest(RunInputs& inputs, const nlohmann::json& manifest) {
  inputs.info["leaking"] = manifest.value("leaking", false);
  inputs.info["split"] = manifest;
}

/// Whether the list is one that the split wrote, as it wrote it.
bool is_part(const nlohmann::json& manifest, const char* part, const fs::path& list) {
  const nlohmann::json::json_pointer hash(fmt::format("/parts/{}/list_xxh3", part));
  return manifest.contains(hash) && manifest.at(hash) == nlohmann::json(hash_text(read_file(list)));
}

/// Lists of a split that were named one by one are that split.
void add_split_of_lists(RunInputs& inputs, const fs::path& train, const fs::path& val) {
  const fs::path folder = folder_of(train);
  if (folder != folder_of(val) || rule_of_split(folder).empty()) return;
  const nlohmann::json manifest = read_manifest(folder);
  if (is_part(manifest, "train", train) && is_part(manifest, "val", val))
    add_manifest(inputs, manifest);
}

std::vector<std::string> ids_in(const fs::path& list) {
  std::vector<std::string> ids;
  if (!fs::is_regular_file(list)) return ids;
  std::istringstream lines(read_file(list));
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) ids.push_back(line);
  return ids;
}

}  // namespace

RunLists RunLists::of(const fs::path& run, const nlohmann::json& info) {
  RunLists lists{.train = ids_in(run / kTrainCopy), .val = ids_in(run / kValCopy)};
  const fs::path file = run / kHashes;
  if (!info.contains(kFilesHash) || lists.train.empty()) return lists;
  if (!fs::is_regular_file(file)) {
    lists.problem = fmt::format("{}: is missing; {}", file.string(), kFromCopy);
    return lists;
  }
  const std::string text = read_file(file);
  const std::vector<std::string> images = image_hashes(text);
  if (nlohmann::json(hash_text(text)) != info.at(kFilesHash) ||
      images.size() != lists.train.size() + lists.val.size()) {
    lists.problem = fmt::format("{}: damaged: {}; {}", file.string(), kNotWritten, kFromCopy);
    return lists;
  }
  const auto val = images.begin() + std::ssize(lists.train);
  lists.train_images.assign(images.begin(), val);
  lists.val_images.assign(val, images.end());
  return lists;
}

std::string hash_ids(const std::vector<Sample>& samples) {
  return hash_text(fmt::format("{}", fmt::join(ids_of(samples), "\n")));
}

RunInputs RunInputs::load(const std::string& data, const std::string& split,
                          const std::string& train_list, const std::string& val_list) {
  const bool lists = !train_list.empty() && !val_list.empty();
  check(split.empty() || (train_list.empty() && val_list.empty()),
        "--split and {} cannot both say what is trained on; leave one of them out",
        train_list.empty() ? "--val-list" : "--train-list");
  check(!split.empty() || lists,
        "train: needs --split DIR (make one with: glia split --data {} --out DIR), or both "
        "--train-list and --val-list",
        data);
  if (lists) {
    RunInputs inputs = load_lists(data, train_list, val_list);
    add_split_of_lists(inputs, train_list, val_list);
    return inputs;
  }
  RunInputs inputs = load_lists(data, fs::path(split) / "train.txt", fs::path(split) / "val.txt");
  add_manifest(inputs, read_manifest(split));
  return inputs;
}

RunInputs RunInputs::reload(const RunFolder& folder, const nlohmann::json& info,
                            const std::string& data) {
  const std::string name = folder.last().string();
  const auto text = [&](const char* key) { return json_field<std::string>(info, key, "", name); };
  const std::string before = path_of_text(text("data")).string(),
                    now = data.empty() ? before : data;
  check(!now.empty(), "{}: its state names no data folder; say with --data where the slices are",
        name);
  check(fs::is_directory(now),
        "{}: the run's data folder is not there; put it back, or say with --data where it is now",
        now);
  RunInputs inputs = load_lists(now, folder.path() / kTrainCopy, folder.path() / kValCopy);
  check(inputs.info["train_hash"] == text("train_hash") &&
            inputs.info["val_hash"] == text("val_hash"),
        "{}: the lists in split/ are not those that the checkpoint was trained on",
        folder.path().string());
  if (info.contains(kFilesHash)) {
    const std::string file = (folder.path() / kHashes).string(), hashes = read_file(file);
    check(hash_text(hashes) == text(kFilesHash), "{}: damaged: {}; {}", file, kNotWritten,
          kFromCopy);
    check_hash_lines(hashes, inputs.all(), now);
  } else {
    check(data.empty(),
          "--data: the run is of a version that kept no hashes of its files, so nobody can tell "
          "whether {} holds the same; put the data back to {}",
          data, before);
  }
  for (const char* key : {"leaking", "split", "import", kFilesHash})
    if (info.contains(key)) inputs.info[key] = info[key];
  return inputs;
}

std::string RunInputs::hash_files() const {
  return hash_lines(all(), path_of_text(info.at("data").get<std::string>()));
}

void RunInputs::save(const RunFolder& folder, const std::string& hashes) const {
  folder.write_list(kTrainCopy, ids_of(train));
  folder.write_list(kValCopy, ids_of(val));
  folder.write_text(kHashes, hashes);
  if (info.contains("split")) folder.write_json("split/manifest.json", info["split"]);
}

std::vector<Sample> RunInputs::all() const {
  std::vector<Sample> both = train;
  both.insert(both.end(), val.begin(), val.end());
  return both;
}

}  // namespace glia
