#include "engine/data/split.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "engine/data/dataset.h"
#include "engine/data/group.h"

namespace glia {

namespace {

constexpr std::uint64_t kSplitStream = 0x73706C6974;  // "split"

struct Group {
  std::string name;
  std::vector<std::string> ids;
};

/// The groups in an order that does not depend on that of the ids.
std::vector<Group> collect_groups(const std::map<std::string, std::string>& group_of) {
  std::map<std::string, Group> by_name;
  for (const auto& [id, name] : group_of) {
    by_name[name].name = name;
    by_name[name].ids.push_back(id);
  }
  std::vector<Group> groups;
  for (auto& [name, group] : by_name) groups.push_back(std::move(group));
  return groups;
}

/// Moves groups from the back of `groups` to `part` as long as that brings it nearer to `wanted`
/// slices, one at least, leaving at least `reserved` groups.
void fill(std::vector<std::string>& part, std::vector<Group>& groups, double wanted,
          std::size_t reserved) {
  while (groups.size() > reserved && wanted > 0) {
    const std::vector<std::string>& next = groups.back().ids;
    const double before = wanted - static_cast<double>(part.size());
    const double after = before - static_cast<double>(next.size());
    if (!part.empty() && std::abs(after) >= std::abs(before)) break;
    part.insert(part.end(), next.begin(), next.end());
    groups.pop_back();
  }
}

}  // namespace

Split split_ids(const std::vector<std::string>& ids, const SplitConfig& config) {
  const bool in_range = config.val >= 0 && config.test >= 0 && config.val + config.test < 1;
  check(in_range,
        "split: --val {} and --test {} do not fit; expected shares from 0 to below 1 that leave "
        "some slices to train on, for example --val 0.2 --test 0.1",
        config.val, config.test);
  Split split;
  split.group_of = assign_groups(ids, config.group_by);
  split.leaking = config.group_by == "none";
  std::vector<Group> groups = collect_groups(split.group_of);
  const std::size_t val_parts = config.val > 0 ? 1 : 0, test_parts = config.test > 0 ? 1 : 0;
  check(groups.size() >= 1 + val_parts + test_parts,
        "split: --group-by {} finds {} groups (patients) for {} parts; every part needs one: add "
        "patients, or ask for fewer parts",
        config.group_by, groups.size(), 1 + val_parts + test_parts);
  Sequence sequence(config.seed, kSplitStream);
  shuffle(groups, sequence);
  const auto total = static_cast<double>(split.group_of.size());
  fill(split.test, groups, config.test * total, 1 + val_parts);
  fill(split.val, groups, config.val * total, 1);
  for (const Group& group : groups)
    split.train.insert(split.train.end(), group.ids.begin(), group.ids.end());
  for (std::vector<std::string>* part : {&split.train, &split.val, &split.test})
    std::sort(part->begin(), part->end(), id_less);
  return split;
}

std::int64_t count_shared(const Split& split, const std::map<std::string, std::string>& hash_of) {
  const std::vector<std::string>* parts[] = {&split.train, &split.val, &split.test};
  std::map<std::string, std::set<const void*>> parts_with;
  for (const auto* part : parts)
    for (const std::string& id : *part) parts_with[hash_of.at(id)].insert(part);
  std::int64_t shared = 0;
  for (const auto* part : {&split.val, &split.test})
    for (const std::string& id : *part) shared += parts_with[hash_of.at(id)].size() > 1;
  return shared;
}

}  // namespace glia
