#include "engine/data/split_folder.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/staging.h"
#include "engine/base/text.h"
#include "engine/data/dataset.h"
#include "engine/data/group.h"

namespace glia {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kManifest = "manifest.json";
constexpr const char* kMadeBy = "glia split";
constexpr const char* kFolders[] = {"Train", "Val", "Test"};
/// Everything that a split may write. The manifest is last: it vouches for the rest.
constexpr const char* kEntries[] = {"train.txt", "val.txt", "test.txt", "Train",
                                    "Val",       "Test",    kManifest};

/// What a split needs to know of a slice beyond its id.
struct SliceInfo {
  Sample sample;
  bool tumour = false;
  std::string hash;  // of the image file
};
using Slices = std::map<std::string, SliceInfo>;

struct Part {
  PartSummary summary;
  const char* folder;
  const std::vector<std::string>& ids;
};

Slices inspect(const std::vector<Sample>& samples,
               const std::function<void(std::int64_t, std::int64_t)>& on_slice) {
  Slices slices;
  for (const Sample& sample : samples) {
    on_slice(std::ssize(slices), std::ssize(samples));
    const std::vector<float> mask = load_mask(sample.mask);
    const bool tumour = std::find(mask.begin(), mask.end(), 1.0f) != mask.end();
    slices[sample.id] = {sample, tumour, hash_file(sample.image)};
  }
  return slices;
}

std::vector<Part> make_parts(const Split& split, const Slices& slices) {
  std::vector<Part> parts;
  for (Part part :
       {Part{{"train"}, kFolders[0], split.train}, Part{{"val"}, kFolders[1], split.val},
        Part{{"test"}, kFolders[2], split.test}}) {
    if (part.ids.empty()) continue;
    std::set<std::string> groups;
    for (const std::string& id : part.ids) {
      groups.insert(split.group_of.at(id));
      part.summary.with_tumour += slices.at(id).tumour;
    }
    part.summary.slices = std::ssize(part.ids);
    part.summary.groups = std::ssize(groups);
    parts.push_back(part);
  }
  return parts;
}

std::string list_text(const std::vector<std::string>& ids) {
  return fmt::format("{}\n", fmt::join(ids, "\n"));
}

const char* name_of(Materialize materialize) {
  switch (materialize) {
    case Materialize::none: return "none";
    case Materialize::copy: return "copy";
    case Materialize::link: return "link";
  }
  return "?";
}

/// The rule as it can be followed from any folder, for JSON.
std::string lasting_rule(const std::string& rule) {
  if (!rule.starts_with(kTableRule)) return rule;
  const fs::path table = rule.substr(kTableRule.size());
  return std::string(kTableRule) + text_of_path(fs::absolute(table).lexically_normal());
}

std::string manifest_text(const SplitRequest& request, const SplitSummary& summary,
                          const std::vector<Part>& parts, const std::vector<std::string>& ids) {
  Json json = {{"made_by", kMadeBy},          {"data", request.data.string()},
               {"seed", request.config.seed}, {"group_by", lasting_rule(request.config.group_by)},
               {"val", request.config.val},   {"test", request.config.test},
               {"leaking", summary.leaking}};
  if (summary.leaking) json["note"] = kLeakNote;
  json["identical_across_parts"] = summary.shared;
  json["materialize"] = name_of(request.materialize);
  json["slices"] = ids.size();
  json["ids_xxh3"] = hash_text(list_text(ids));
  for (const Part& part : parts)
    json["parts"][part.summary.name] = {{"list", part.summary.name + ".txt"},
                                        {"slices", part.summary.slices},
                                        {"groups", part.summary.groups},
                                        {"with_tumour", part.summary.with_tumour},
                                        {"list_xxh3", hash_text(list_text(part.ids))}};
  return json_text(json, 2) + "\n";
}

void place(const fs::path& source, const fs::path& folder, Materialize materialize) {
  const fs::path target = folder / source.filename();
  std::error_code error;
  if (materialize == Materialize::link)
    fs::create_symlink(fs::canonical(source), target, error);
  else
    fs::copy_file(source, target, error);
  check(!error, "{}: cannot {} it to {}: {}; free space or choose another --out", source.string(),
        name_of(materialize), target.string(), error.message());
}

void place_files(const fs::path& out, const std::vector<Part>& parts, const Slices& slices,
                 Materialize materialize) {
  for (const Part& part : parts)
    for (const std::string& id : part.ids) {
      const SliceInfo& slice = slices.at(id);
      const fs::path folder = out / part.folder / (slice.tumour ? "Yes" : "No");
      make_folder(folder);
      place(slice.sample.image, folder, materialize);
      place(slice.sample.mask, folder, materialize);
    }
}

bool is_inside(const fs::path& inner, const fs::path& outer) {
  const fs::path relative = inner.lexically_relative(outer);
  return !relative.empty() && *relative.begin() != "..";
}

fs::path whole_path(const fs::path& path) {
  return without_slash(fs::weakly_canonical(fs::absolute(path)));
}

/// The place to write to, absolute. Throws unless it is safe to write there.
fs::path check_out(const SplitRequest& request) {
  const fs::path out = whole_path(request.out), data = whole_path(request.data);
  check(out != data, "--out {}: is the folder of --data; choose a folder of its own",
        request.out.string());
  check(!fs::exists(out) || fs::is_directory(out),
        "--out {}: a file is in the way; choose another place", request.out.string());
  check(request.materialize == Materialize::none || !is_inside(out, data),
        "--out {} lies inside --data {}: copies there would count as data; choose a folder outside",
        request.out.string(), request.data.string());
  if (!fs::exists(out) || fs::is_empty(out)) return out;
  check(request.overwrite,
        "--out {}: exists and is not empty; choose another place, or pass --overwrite to replace "
        "the split in it",
        request.out.string());
  for (const char* name : kFolders) {
    if (!fs::exists(out / name)) continue;
    check(fs::exists(out / kManifest) && !is_inside(data, out / name),
          "{}: not made by an earlier split, or the data itself; choose another --out",
          (out / name).string());
  }
  return out;
}

}  // namespace

SplitSummary write_split(const SplitRequest& request,
                         const std::function<void(std::int64_t, std::int64_t)>& on_slice) {
  const fs::path out = check_out(request);
  const std::vector<Sample> samples = scan_pairs(request.data);
  std::vector<std::string> ids;
  for (const Sample& sample : samples) ids.push_back(sample.id);
  const Split split = split_ids(ids, request.config);
  const Slices slices = inspect(samples, on_slice);
  std::map<std::string, std::string> hash_of;
  for (const auto& [id, slice] : slices) hash_of[id] = slice.hash;
  const std::vector<Part> parts = make_parts(split, slices);
  SplitSummary summary{{}, split.leaking, count_shared(split, hash_of)};
  for (const Part& part : parts) summary.parts.push_back(part.summary);

  Staging staging(out);
  for (const Part& part : parts)
    write_file_atomically(staging.path() / (part.summary.name + ".txt"), list_text(part.ids));
  if (request.materialize != Materialize::none)
    place_files(staging.path(), parts, slices, request.materialize);
  write_file_atomically(staging.path() / kManifest, manifest_text(request, summary, parts, ids));
  if (fs::exists(out) && !fs::is_empty(out))
    staging.publish_over(kEntries);
  else
    staging.publish();
  return summary;
}

std::string rule_of_split(const fs::path& folder) {
  const fs::path file = folder / kManifest;
  if (!fs::is_regular_file(file)) return "";
  const auto json = parse_json(read_text(file), file.string());
  const bool ours =
      json.is_object() && json.contains("made_by") && json["made_by"] == nlohmann::json(kMadeBy);
  if (!ours) return "";
  return rule_of_text(json_field<std::string>(json, "group_by", "", file.string()));
}

std::string rule_of_text(const std::string& text) {
  if (!text.starts_with(kTableRule)) return text;
  return std::string(kTableRule) + path_of_text(text.substr(kTableRule.size())).string();
}

}  // namespace glia
