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

/// Moves groups from the back of `groups` to `part` until it holds `wanted` slices, leaving at
/// least `reserved` groups.
void fill(std::vector<std::string>& part, std::vector<Group>& groups, std::int64_t wanted,
          std::size_t reserved) {
  while (std::ssize(part) < wanted && groups.size() > reserved) {
    part.insert(part.end(), groups.back().ids.begin(), groups.back().ids.end());
    groups.pop_back();
  }
}

/// Slices that a share stands for; a share above zero is at least one slice.
std::int64_t slices_of(double share, std::size_t total) {
  if (share == 0) return 0;
  return std::max<std::int64_t>(1, std::llround(share * static_cast<double>(total)));
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
  const std::size_t total = split.group_of.size();
  fill(split.test, groups, slices_of(config.test, total), 1 + val_parts);
  fill(split.val, groups, slices_of(config.val, total), 1);
  fill(split.train, groups, static_cast<std::int64_t>(total), 0);
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
