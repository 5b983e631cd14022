// The slices of a training run: from a split folder or two lists, kept with the run to resume it.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/train/run_folder.h"

namespace glia {

/// A fingerprint of the ids in their order: that of a training list or of an evaluated one.
std::string hash_ids(const std::vector<Sample>& samples);

/// The key of `RunInputs::info` that fixes what the files held; missing in runs of earlier
/// versions.
inline constexpr const char* kFilesHash = "files_hash";

/// What a run folder says of the slices that its network has seen.
struct RunLists {
  std::vector<std::string> train = {}, val = {};                // ids; none where no list lies
  std::vector<std::string> train_images = {}, val_images = {};  // hashes, one an id
  std::string problem =
      {};  // of the file with the hashes, led by its name; empty when there is none

  /// `info` is that of a checkpoint in the folder. Without hashes where the run kept none, as
  /// earlier versions did, or where those that belong to the checkpoint do not lie there, which
  /// `problem` says.
  static RunLists of(const std::filesystem::path& run, const nlohmann::json& info);
};

struct RunInputs {
  std::vector<Sample> train, val;
  nlohmann::json info;  // for checkpoints: "data", "leaking" and the hashes of both lists

  /// From `split`/train.txt and val.txt, or from two list files, which are those of a split where
  /// they lie beside its manifest and are as it wrote them. Throws `Error` when neither or
  /// both are given, or an id is missing or stands in both lists.
  static RunInputs load(const std::string& data, const std::string& split,
                        const std::string& train_list, const std::string& val_list);
  /// From the copies in a run's folder; the slices from `data` or, where that is empty, from where
  /// they were. Reads every file. Throws `Error` when lists or files are not those that the
  /// checkpoint was trained on.
  static RunInputs reload(const RunFolder& folder, const nlohmann::json& info,
                          const std::string& data);
  /// The hashes of all files, which are read for it (apps/runs/data_hashes.h). A fingerprint of
  /// this text belongs into checkpoints as `kFilesHash`.
  std::string hash_files() const;
  /// Copies the lists, and what `hash_files` gave, into the run's folder.
  void save(const RunFolder& folder, const std::string& hashes) const;
  /// The slices of both lists.
  std::vector<Sample> all() const;
};

}  // namespace glia
