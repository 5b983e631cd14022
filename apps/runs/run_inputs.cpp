#include "apps/runs/run_inputs.h"

#include <filesystem>
#include <set>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/formats/npy.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr const char* kTrainCopy = "split/train.txt";
constexpr const char* kValCopy = "split/val.txt";

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
  inputs.info = {{"data", fs::absolute(data).string()},
                 {"train_hash", hash_ids(inputs.train)},
                 {"val_hash", hash_ids(inputs.val)}};
  return inputs;
}

}  // namespace

std::string hash_ids(const std::vector<Sample>& samples) {
  return hash_text(fmt::format("{}", fmt::join(ids_of(samples), "\n")));
}

RunInputs RunInputs::load(const std::string& data, const std::string& split,
                          const std::string& train_list, const std::string& val_list) {
  const bool lists = !train_list.empty() && !val_list.empty();
  check(split.empty() ? lists : train_list.empty() && val_list.empty(),
        "train: needs --split DIR (make one with: glia split --data {} --out DIR), or both "
        "--train-list and --val-list",
        data);
  if (lists) return load_lists(data, train_list, val_list);
  RunInputs inputs = load_lists(data, fs::path(split) / "train.txt", fs::path(split) / "val.txt");
  const fs::path manifest = fs::path(split) / "manifest.json";
  const auto json = nlohmann::json::parse(read_file(manifest), nullptr, false);
  check(json.is_object(), "{}: is no JSON object; run glia split again", manifest.string());
  inputs.info["leaking"] = json.value("leaking", false);
  inputs.info["split"] = json;
  return inputs;
}

RunInputs RunInputs::reload(const RunFolder& folder, const nlohmann::json& info) {
  const std::string data = info.value("data", "");
  check(fs::is_directory(data), "{}: the run's data folder is gone; put it back to resume", data);
  RunInputs inputs = load_lists(data, folder.path() / kTrainCopy, folder.path() / kValCopy);
  check(inputs.info["train_hash"] == info.value("train_hash", "") &&
            inputs.info["val_hash"] == info.value("val_hash", ""),
        "{}: the lists in split/ are not those that the checkpoint was trained on",
        folder.path().string());
  for (const char* key : {"leaking", "split"})
    if (info.contains(key)) inputs.info[key] = info[key];
  return inputs;
}

void RunInputs::save(const RunFolder& folder) const {
  folder.write_list(kTrainCopy, ids_of(train));
  folder.write_list(kValCopy, ids_of(val));
  if (info.contains("split")) folder.write_json("split/manifest.json", info["split"]);
}

std::int64_t RunInputs::channels() const {
  const NpyInfo image = read_npy_info(train.front().image);
  check(image.shape.size() == 3, "{}: found {}, expected an image [H, W, C]",
        train.front().image.string(), image.str());
  return image.shape[2];
}

}  // namespace glia
