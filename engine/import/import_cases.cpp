#include "engine/import/import_cases.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "engine/base/check.h"
#include "engine/data/dataset.h"
#include "engine/formats/stack.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

struct KeyLess {
  bool operator()(const std::string& a, const std::string& b) const { return id_less(a, b); }
};

bool is_inside(const fs::path& file, const fs::path& folder) {
  const fs::path relative = file.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

/// In the form that `collect` gives to files, so that names can be compared as text.
fs::path root_of(const fs::path& data, const fs::path& below) {
  const fs::path root = (data / below).lexically_normal();
  return root.has_filename() ? root : root.parent_path();
}

/// The files below `root` whose ending is known.
void collect(const fs::path& root, std::set<fs::path>& files, std::vector<std::string>& problems) {
  std::error_code error;
  check(fs::is_directory(root, error), "{}: {}; expected a folder with images and masks",
        root.string(), fs::exists(root, error) ? "not a folder" : "no such folder");
  fs::recursive_directory_iterator entry(root, error), end;
  while (!error && entry != end) {
    const fs::path& path = entry->path();
    std::error_code ignored;
    const bool is_folder = entry->is_directory(ignored);
    if (path.filename().string().starts_with('.')) {
      entry.disable_recursion_pending();
    } else if (is_folder && entry->is_symlink(ignored)) {
      problems.push_back(fmt::format(
          "{}: a link to a folder is not followed; pass its target as --data", path.string()));
    } else if (!is_folder && is_stack_name(path)) {
      files.insert(path.lexically_normal());
    }
    entry.increment(error);
  }
  check(!error, "{}: cannot be read: {}; check its permissions", root.string(), error.message());
}

/// The files of one case: a slot for every image suffix, and the mask.
struct Slots {
  fs::path folder;
  std::string own_part;
  std::vector<fs::path> images;
  fs::path mask;
};

class Finder {
 public:
  Finder(const fs::path& data, const ImportNames& names)
      : names_(names),
        images_root_(root_of(data, names.images)),
        masks_root_(root_of(data, names.masks)),
        one_root_(images_root_ == masks_root_) {
    const std::set<std::string> unique(names.image_suffixes.begin(), names.image_suffixes.end());
    check(unique.size() == names.image_suffixes.size() && !unique.empty(),
          "--image-suffix {}: a suffix stands twice", fmt::join(names.image_suffixes, ","));
    check(
        !one_root_ || !unique.contains(names.mask_suffix),
        "--mask-suffix '{}' is an image's suffix too; images and masks that lie in one folder need "
        "different ones",
        names.mask_suffix);
  }

  ImportCases run() {
    std::set<fs::path> files;
    collect(images_root_, files, found_.problems);
    collect(masks_root_, files, found_.problems);
    for (const fs::path& file : files) sort_in(file);
    std::vector<std::string> own_parts;
    for (const auto& [key, slots] : slots_)
      if (is_whole(slots)) {
        found_.cases.push_back({"", slots.folder.string(), slots.images, slots.mask});
        own_parts.push_back(slots.own_part);
      }
    name_cases(found_, own_parts);
    return std::move(found_);
  }

 private:
  /// The longest suffix that fits wins: a_mask is a mask, and no image for want of a suffix.
  void sort_in(const fs::path& file) {
    bool may_be_image = is_inside(file, images_root_), may_be_mask = is_inside(file, masks_root_);
    if (may_be_image && may_be_mask && !one_root_)
      (is_inside(masks_root_, images_root_) ? may_be_image : may_be_mask) = false;
    const std::string stem = stem_of(file);
    std::optional<std::size_t> slot;
    std::size_t length = 0;
    for (std::size_t i = 0; may_be_image && i < names_.image_suffixes.size(); ++i) {
      const std::string& suffix = names_.image_suffixes[i];
      if (!stem.ends_with(suffix) || (slot && suffix.size() < length)) continue;
      slot = i;
      length = suffix.size();
    }
    const std::string& suffix = names_.mask_suffix;
    const bool is_mask = may_be_mask && stem.ends_with(suffix) && (!slot || suffix.size() > length);
    if (!is_mask && !slot) {
      found_.unused.push_back(file);
      return;
    }
    if (is_mask) length = suffix.size();
    Slots& slots = slots_for(file.lexically_relative(is_mask ? masks_root_ : images_root_),
                             stem.substr(0, stem.size() - length));
    put(file, is_mask ? slots.mask : slots.images[*slot]);
  }

  Slots& slots_for(const fs::path& relative, const std::string& own_part) {
    const fs::path folder = relative.parent_path();
    Slots& slots = slots_[(folder / own_part).string()];
    slots.folder = folder;
    slots.own_part = own_part;
    slots.images.resize(names_.image_suffixes.size());
    return slots;
  }

  void put(const fs::path& file, fs::path& place) {
    if (place.empty()) {
      place = file;
      return;
    }
    found_.problems.push_back(fmt::format(
        "{}: differs from {} in its ending only; keep one of them", file.string(), place.string()));
  }

  std::string wanted(const fs::path& root, const Slots& slots, const std::string& suffix) const {
    return (root / slots.folder / (slots.own_part + suffix)).string();
  }

  /// Whether all is there; otherwise notes what is missing.
  bool is_whole(const Slots& slots) {
    std::vector<std::string> missing;
    fs::path first;
    for (std::size_t i = 0; i < slots.images.size(); ++i) {
      if (slots.images[i].empty())
        missing.push_back(wanted(images_root_, slots, names_.image_suffixes[i]));
      else if (first.empty())
        first = slots.images[i];
    }
    if (first.empty()) {
      found_.problems.push_back(
          fmt::format("{}: a mask without its image {}; add the image or remove the mask",
                      slots.mask.string(), fmt::join(missing, ", ")));
      return false;
    }
    if (!missing.empty())
      found_.problems.push_back(fmt::format("{}: the case has no {}; add it or remove the case",
                                            first.string(), fmt::join(missing, ", ")));
    if (slots.mask.empty())
      found_.problems.push_back(
          fmt::format("{}: an image without its mask {}; add the mask (all zeros for no tumour) or "
                      "remove the image",
                      first.string(), wanted(masks_root_, slots, names_.mask_suffix)));
    return missing.empty() && !slots.mask.empty();
  }

  const ImportNames& names_;
  fs::path images_root_, masks_root_;
  bool one_root_;
  std::map<std::string, Slots, KeyLess> slots_;
  ImportCases found_;
};

/// An id goes into file names, where a dot in front would hide them, and into lists of one id a
/// line, whose ends are trimmed.
std::string clean(std::string id) {
  if (id.empty()) return "case";
  for (char& c : id)
    if (c == '/' || c == '\\' || c == '"' || static_cast<unsigned char>(c) < ' ') c = '_';
  if (id.front() == ' ' || id.front() == '.') id.front() = '_';
  if (id.back() == ' ') id.back() = '_';
  return id;
}

}  // namespace

void name_cases(ImportCases& found, const std::vector<std::string>& own_parts) {
  const std::set<std::string> unique(own_parts.begin(), own_parts.end());
  const bool by_name = unique.size() == own_parts.size() && !unique.contains("");
  std::map<std::string, const ImportCase*> taken;
  for (std::size_t i = 0; i < found.cases.size(); ++i) {
    ImportCase& one = found.cases[i];
    const std::string whole = (fs::path(one.folder) / own_parts[i]).string();
    one.id = clean(by_name ? own_parts[i] : whole.substr(0, whole.find_last_not_of('/') + 1));
    const auto [other, is_new] = taken.emplace(one.id, &one);
    if (!is_new)
      found.problems.push_back(
          fmt::format("{}: would get the id {}, which {} has; rename one of them",
                      one.images[0].string(), one.id, other->second->images[0].string()));
  }
  std::sort(found.cases.begin(), found.cases.end(),
            [](const ImportCase& a, const ImportCase& b) { return id_less(a.id, b.id); });
}

ImportCases find_cases(const fs::path& data, const ImportNames& names) {
  ImportCases found = Finder(data, names).run();
  check(!found.cases.empty() || !found.problems.empty(),
        "{}: no images found; expected .png, .tif, .jpg, .npy, .nii or .nii.gz files{}",
        data.string(),
        fs::exists(data / "dataset.json") ? ", or pass its dataset.json as --data" : "");
  return found;
}

}  // namespace glia
