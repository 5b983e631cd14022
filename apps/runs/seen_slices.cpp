#include "apps/runs/seen_slices.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <set>

#include "apps/runs/run_inputs.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"
#include "engine/data/group.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kNamed = 5;  // slices in a message

/// Evaluated slices beside one list of the run.
struct Overlap {
  std::size_t same = 0;                   // slices that stand in the list
  std::size_t namesakes = 0;              // not those, but of the same id as one of them
  std::vector<std::string> renamed = {};  // of `same`, those under another id: "copy is 7"
};

Overlap by_ids(const std::vector<std::string>& list, const std::vector<std::string>& ids) {
  const std::set<std::string> known(list.begin(), list.end());
  Overlap overlap;
  for (const std::string& id : ids) overlap.same += known.count(id);
  return overlap;
}

/// `list` and `ids` are the ids, with the images' hashes beside them.
Overlap by_images(const std::vector<std::string>& list, const std::vector<std::string>& list_images,
                  const std::vector<std::string>& ids, const std::vector<std::string>& images) {
  std::multimap<std::string, std::string> id_of;  // identical slices may stand in a list
  for (std::size_t i = 0; i < list.size(); ++i) id_of.emplace(list_images[i], list[i]);
  const std::set<std::string> known(list.begin(), list.end());
  Overlap overlap;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto [first, end] = id_of.equal_range(images[i]);
    if (first == end) {
      overlap.namesakes += known.count(ids[i]);
      continue;
    }
    ++overlap.same;
    bool renamed = true;
    for (auto found = first; found != end; ++found) renamed = renamed && found->second != ids[i];
    if (renamed)
      overlap.renamed.push_back(
          fmt::format("{} is {}", printable_name(ids[i]), printable_name(first->second)));
  }
  return overlap;
}

/// " (under another name: copy is 7)"
std::string other_names(const std::vector<std::string>& renamed) {
  if (renamed.empty()) return {};
  return fmt::format(" (under another name: {})", first_few(renamed, kNamed));
}

/// Patients of training ids that the rule says nothing about, such as a table of the evaluated
/// ones, are left out.
std::size_t common_patients(const std::vector<std::string>& trained, const Patients& patients,
                            std::size_t& here) {
  std::set<std::string> known, evaluated;
  for (const auto& [id, patient] : known_groups(trained, patients.rule)) known.insert(patient);
  for (const auto& [id, patient] : patients.of) evaluated.insert(patient);
  here = evaluated.size();
  std::size_t common = 0;
  for (const std::string& patient : evaluated) common += known.count(patient);
  return common;
}

}  // namespace

std::vector<std::string> warn_of_seen_slices(const std::string& checkpoint,
                                             const nlohmann::json& info,
                                             const EvaluatedData& data) {
  const RunLists run = RunLists::of(fs::path(checkpoint).parent_path(), info);
  const std::vector<std::string> ids = ids_of(data.samples);
  const std::size_t count = ids.size();
  const bool hashed = !run.train_images.empty();
  std::vector<std::string> images, warnings;
  if (!run.problem.empty())
    warnings.push_back(run.problem +
                       ". Until then ids alone tell which slices the network was trained on");
  if (hashed)
    for (const Sample& sample : data.samples) images.push_back(hash_file(sample.image));

  const Overlap trained =
      hashed ? by_images(run.train, run.train_images, ids, images) : by_ids(run.train, ids);
  if (trained.same > 0)
    warnings.push_back(fmt::format(
        "the network was trained on {} of these {} slices, as {}; the figures say nothing "
        "about new ones",
        trained.same, count,
        hashed                ? "the hashes of their images say" + other_names(trained.renamed)
        : run.problem.empty() ? "their ids say (the run kept no hashes of its files)"
                              : "their ids say"));
  if (trained.namesakes > 0)
    warnings.push_back(fmt::format(
        "for {} of these {} slices the id is that of a slice that the network was trained on, but "
        "the image is another: other slices, or the same ones changed or imported anew",
        trained.namesakes, count));

  // Ids that mean other slices here mean other patients.
  const bool other_data = trained.namesakes > 0 && trained.same == 0;
  if (!run.train.empty() && data.patients.known() && !other_data) {
    std::size_t here = 0;
    const std::size_t common = common_patients(run.train, data.patients, here);
    if (common > 0)
      warnings.push_back(fmt::format("the network was trained on slices of {} of these {} patients",
                                     common, here));
  }

  const bool chose_by_ids = info.value("val_hash", "") == hash_ids(data.samples);
  const std::size_t chose =
      hashed ? by_images(run.val, run.val_images, ids, images).same : (chose_by_ids ? count : 0);
  if (chose > 0)
    warnings.push_back(fmt::format(
        "{}; for a final figure take slices that chose nothing",
        chose == count
            ? "these are the validation slices, by which the best epoch was chosen"
            : fmt::format("the best epoch was chosen by {} of these {} slices", chose, count)));
  return warnings;
}

}  // namespace glia
