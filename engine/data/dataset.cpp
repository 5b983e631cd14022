#include "engine/data/dataset.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/finite.h"
#include "engine/base/text.h"
#include "engine/base/walk.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kListedLabels = 10;  // how many label values a message names

struct IdLess {
  bool operator()(const std::string& a, const std::string& b) const { return id_less(a, b); }
};

struct Files {
  std::vector<fs::path> images, masks;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes the run of digits at the front of `text`, without its leading zeros.
std::string_view take_number(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  std::string_view number = text.substr(0, end);
  text.remove_prefix(end);
  number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
  return number;
}

/// Sorts the file into `found` by the id in its name.
void add_file(const fs::path& path, std::map<std::string, Files, IdLess>& found) {
  const std::string name = path.filename().string();
  for (std::string_view suffix : {kImageSuffix, kMaskSuffix}) {
    if (!name.ends_with(suffix) || name.size() == suffix.size()) continue;
    Files& files = found[name.substr(0, name.size() - suffix.size())];
    (suffix == kImageSuffix ? files.images : files.masks).push_back(path);
  }
}

/// Every file of the layout below `folder`, by id; linked subfolders become problems.
std::map<std::string, Files, IdLess> find_files(const fs::path& folder, std::string_view flag,
                                                std::vector<Problem>& problems) {
  std::map<std::string, Files, IdLess> found;
  walk_files(
      folder, [&](const fs::path& path) { add_file(path, found); },
      [&](const fs::path& link) {
        problems.push_back({link, linked_folder_problem(flag)});
      });
  return found;
}

/// Why an id cannot stand in a list of one a line or in JSON, empty when it can.
std::string id_problem(const std::string& id) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  if (std::any_of(id.begin(), id.end(), is_control))
    return "the id has a line feed or another control character, which no list can hold; rename "
           "the "
           "file";
  if (!is_utf8(id)) return std::string(kNotUtf8);
  if (id.front() == ' ' || id.back() == ' ')
    return "the id begins or ends with a blank, which lists lose; rename the file";
  return {};
}

void add_twins(const std::string& id, std::vector<fs::path>& files,
               std::vector<Problem>& problems) {
  std::sort(files.begin(), files.end());
  for (std::size_t i = 1; i < files.size(); ++i)
    problems.push_back({files[i], fmt::format("the id {} is already taken by {}; ids must differ "
                                              "across subfolders: rename or remove one",
                                              id, files[0].string())});
}

void throw_first(const fs::path& file, const std::vector<std::string>& problems) {
  if (!problems.empty()) fail("{}: {}", file.string(), problems.front());
}

/// A mask whose content has been checked, as stored.
NpyArray read_mask(const fs::path& path) {
  NpyArray mask = read_npy(path);
  throw_first(path, mask_problems(mask));
  return mask;
}

void to_binary(std::vector<float>& mask) {
  for (float& value : mask) value = value != 0 ? 1.0f : 0.0f;
}

}  // namespace

bool id_less(std::string_view a, std::string_view b) {
  std::string_view rest_a = a, rest_b = b;
  while (!rest_a.empty() && !rest_b.empty()) {
    if (is_digit(rest_a[0]) && is_digit(rest_b[0])) {
      const std::string_view x = take_number(rest_a), y = take_number(rest_b);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else {
      if (rest_a[0] != rest_b[0]) return rest_a[0] < rest_b[0];
      rest_a.remove_prefix(1);
      rest_b.remove_prefix(1);
    }
  }
  if (rest_a.empty() != rest_b.empty()) return rest_a.empty();
  return a < b;  // "01" and "1"
}

Pairing pair_files(const fs::path& folder, std::string_view flag) {
  std::error_code error;
  check(fs::is_directory(folder, error),
        "{}: {}; expected a folder with <id>_img.npy and "
        "<id>_seg.npy files",
        folder.string(), fs::exists(folder, error) ? "not a folder" : "no such folder");
  Pairing pairing;
  for (auto& [id, files] : find_files(folder, flag, pairing.problems)) {
    const std::string unfit = id_problem(id);
    if (!unfit.empty()) {
      pairing.problems.push_back({files.images.empty() ? files.masks[0] : files.images[0], unfit});
      continue;
    }
    add_twins(id, files.images, pairing.problems);
    add_twins(id, files.masks, pairing.problems);
    if (files.images.empty()) {
      pairing.problems.push_back(
          {files.masks[0], fmt::format("a mask without its image {}{}; add the image or remove the "
                                       "mask",
                                       id, kImageSuffix)});
      continue;
    }
    if (files.masks.empty())
      pairing.problems.push_back(
          {files.images[0],
           fmt::format("an image without its mask {}{}; add the mask (all zeros "
                       "for no tumour) or remove the image",
                       id, kMaskSuffix),
           true});
    pairing.samples.push_back(
        {id, files.images[0], files.masks.empty() ? fs::path() : files.masks[0]});
  }
  check(!pairing.samples.empty() || !pairing.problems.empty(),
        "{}: no slices found; expected <id>_img.npy and <id>_seg.npy files, in subfolders or not",
        folder.string());
  return pairing;
}

std::vector<Sample> scan_pairs(const fs::path& folder) {
  Pairing pairing = pair_files(folder);
  if (pairing.problems.empty()) return std::move(pairing.samples);
  std::vector<std::string> lines;
  for (const Problem& problem : pairing.problems)
    lines.push_back(fmt::format("{}: {}", problem.file.string(), problem.text));
  const std::size_t count = lines.size();
  constexpr std::size_t kListed = 10;
  if (count > kListed) {
    lines.resize(kListed);
    lines.push_back(fmt::format("and {} more; glia check-data lists all", count - kListed));
  }
  fail("{}: {} files do not pair up:\n  {}", folder.string(), count, fmt::join(lines, "\n  "));
}

std::vector<Sample> select_samples(const std::vector<Sample>& samples, const fs::path& list_file) {
  std::map<std::string_view, const Sample*> by_id;
  for (const Sample& sample : samples) by_id[sample.id] = &sample;
  std::vector<Sample> selected;
  std::vector<std::string> unknown, repeated;
  std::set<std::string> seen;
  std::istringstream lines(read_text(list_file));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t last = line.find_last_not_of(" \t\r");
    if (last == std::string::npos) continue;
    const std::string id = line.substr(0, last + 1);
    const auto found = by_id.find(id);
    if (!seen.insert(id).second)
      repeated.push_back(id);
    else if (found == by_id.end())
      unknown.push_back(id);
    else
      selected.push_back(*found->second);
  }
  check(unknown.empty(),
        "{}: {} ids are not in the data: {}; pass the data folder that the list was made from",
        list_file.string(), unknown.size(), first_few(unknown));
  check(repeated.empty(), "{}: ids stand twice: {}; remove the repeated lines", list_file.string(),
        first_few(repeated));
  check(!selected.empty(), "{}: the list is empty; expected one id a line", list_file.string());
  return selected;
}

std::vector<std::string> ids_of(const std::vector<Sample>& samples) {
  std::vector<std::string> ids;
  for (const Sample& sample : samples) ids.push_back(sample.id);
  return ids;
}

std::vector<std::string> image_problems(const NpyArray& image) {
  if (image.info.shape.size() != 3)
    return {fmt::format("{} is not an image; expected three dimensions [height, width, channels]",
                        image.info.str())};
  if (image.values.empty()) return {fmt::format("{} has no pixels", image.info.str())};
  if (looks_channels_first(image.info.shape)) return {channels_first_problem(image.info.shape)};
  const auto bad = find_not_finite(image.values);
  if (!bad) return {};
  return {
      fmt::format("{} of {} values are NaN or infinite; replace them, for example with "
                  "numpy.nan_to_num",
                  bad->count, image.values.size())};
}

std::vector<std::string> mask_problems(const NpyArray& mask) {
  const std::vector<std::int64_t>& shape = mask.info.shape;
  if (looks_channels_first(shape)) return {channels_first_problem(shape)};
  if (shape.size() != 2 && !(shape.size() == 3 && shape[2] == 1))
    return {
        fmt::format("{} is not a mask; expected two dimensions [height, width]", mask.info.str())};
  if (mask.values.empty()) return {fmt::format("{} has no pixels", mask.info.str())};
  std::set<float> labels;
  bool has_nan = false;
  float previous = std::nanf("");
  for (float value : mask.values) {
    if (value == previous) continue;
    previous = value;
    if (std::isnan(value))
      has_nan = true;
    else if (labels.size() <= kListedLabels)
      labels.insert(value);
  }
  const auto within_zero_and = [&](float one) {
    return std::all_of(labels.begin(), labels.end(), [&](float x) { return x == 0 || x == one; });
  };
  if (!has_nan && (within_zero_and(1) || within_zero_and(255))) return {};
  return {fmt::format("holds the label values {}{}{}; expected 0 and 1 (or 0 and 255)",
                      fmt::join(labels, ", "), labels.size() > kListedLabels ? " and more" : "",
                      has_nan ? " and NaN" : "")};
}

std::string size_problem(const NpyInfo& image, const NpyInfo& mask) {
  if (image.shape[0] == mask.shape[0] && image.shape[1] == mask.shape[1]) return {};
  return fmt::format("the mask {} does not fit its image {}; height and width must be equal",
                     mask.str(), image.str());
}

std::vector<float> load_mask(const fs::path& path) {
  NpyArray mask = read_mask(path);
  to_binary(mask.values);
  return std::move(mask.values);
}

Slice load_slice(const Sample& sample) {
  NpyArray image = read_npy(sample.image);
  throw_first(sample.image, image_problems(image));
  const std::vector<std::int64_t>& shape = image.info.shape;
  Slice slice{shape[0], shape[1], shape[2], std::move(image.values), {}};
  if (sample.mask.empty()) return slice;
  NpyArray mask = read_mask(sample.mask);
  const std::string mismatch = size_problem(image.info, mask.info);
  check(mismatch.empty(), "{}: {}", sample.mask.string(), mismatch);
  to_binary(mask.values);
  slice.mask = std::move(mask.values);
  return slice;
}

}  // namespace glia
