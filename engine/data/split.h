// Shuffles slices and splits them into training, validation and test parts, patient by patient.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace glia {

struct SplitConfig {
  double val = 0.2, test = 0;  // shares of the slices, 0 to 1
  std::uint64_t seed = 0;
  std::string group_by = "id/20";  // see assign_groups
};

struct Split {
  std::vector<std::string> train, val, test;    // ids in the order of id_less
  std::map<std::string, std::string> group_of;  // id to group
  bool leaking = false;                         // slices of one patient may stand on both sides
};

/// Shuffles the groups by the seed, then fills test and after it val, group by group, as long as
/// the next one brings it nearer to its share of the slices; the rest is train. The result depends
/// on the set of ids and the config only. Every part with a share gets at least one group. Throws
/// `Error` when shares are outside [0, 1) or leave nothing to train on, when there are fewer groups
/// than parts, and where assign_groups does.
Split split_ids(const std::vector<std::string>& ids, const SplitConfig& config);

/// How many slices of val and test have a twin in another part: the same fingerprint.
std::int64_t count_shared(const Split& split, const std::map<std::string, std::string>& hash_of);

}  // namespace glia
