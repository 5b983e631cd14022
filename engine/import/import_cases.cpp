#include "engine/import/import_cases.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "engine/base/check.h"
#include "engine/data/dataset.h"
#include "engine/formats/stack.h"
#include "engine/import/collect_files.h"
#include "engine/import/suffixes.h"

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

/// In the form that `collect_files` gives to files, so that names can be compared as text.
fs::path root_of(const fs::path& data, const fs::path& below) {
  const fs::path root = (data / below).lexically_normal();
  return root.has_filename() ? root : root.parent_path();
}

/// "x_mask" of "x_mask_1", "x_mask-2" or "x_mask (3)"; empty when no such number ends the name.
std::string without_number(const std::string& stem) {
  std::string_view rest = stem;
  const bool bracket = rest.ends_with(')');
  if (bracket) rest.remove_suffix(1);
  const std::size_t digits = rest.find_last_not_of("0123456789");
  if (digits == std::string_view::npos || digits + 1 == rest.size()) return {};
  rest = rest.substr(0, digits + 1);
  if (bracket && !rest.ends_with('(')) return {};
  if (bracket) rest.remove_suffix(1);
  const bool separated =
      rest.ends_with('_') || rest.ends_with('-') || rest.ends_with(' ') || rest.ends_with('.');
  if (separated) rest.remove_suffix(1);
  return separated || bracket ? std::string(rest) : "";
}

/// The files of one case: a slot for every image suffix, and the masks.
struct Slots {
  fs::path folder;
  std::string own_part;
  std::vector<fs::path> images;
  fs::path mask;
  std::vector<fs::path> further_masks;

  bool has_image() const {
    return std::any_of(images.begin(), images.end(), [](const fs::path& p) { return !p.empty(); });
  }
};

class Finder {
 public:
  Finder(const fs::path& data, const ImportNames& names)
      : names_(names),
        data_(data),
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
    collect_files(images_root_, files_, found_.problems);
    if (!one_root_) collect_files(masks_root_, files_, found_.problems);
    for (const fs::path& file : files_.known)
      if (!is_numbered(file)) sort_in(file);
    for (const fs::path& file : files_.known)
      if (is_numbered(file)) sort_in_numbered(file);
    move_to_owners();
    std::vector<std::string> own_parts;
    Problems missing;
    for (const auto& [key, slots] : slots_)
      if (is_whole(slots, missing)) {
        std::vector<fs::path> masks = slots.further_masks;
        if (!slots.mask.empty()) masks.insert(masks.begin(), slots.mask);
        found_.cases.push_back({"", slots.folder.string(), slots.images, masks});
        own_parts.push_back(slots.own_part);
      }
    tell_missing(missing);
    name_cases(found_, own_parts);
    found_.foreign.assign(files_.foreign.begin(), files_.foreign.end());
    check_any();
    return std::move(found_);
  }

 private:
  struct Place {
    bool may_be_image, may_be_mask;
  };

  /// By the roots that a file lies in.
  Place place_of(const fs::path& file) const {
    Place place{is_inside(file, images_root_), is_inside(file, masks_root_)};
    if (place.may_be_image && place.may_be_mask && !one_root_)
      (is_inside(masks_root_, images_root_) ? place.may_be_image : place.may_be_mask) = false;
    return place;
  }

  /// The longest suffix that fits wins: a_mask is a mask, and no image for want of a suffix.
  void sort_in(const fs::path& file) {
    const auto [may_be_image, may_be_mask] = place_of(file);
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
    found_.problems.add("files that differ in their ending only",
                        fmt::format("{}: differs from {} in its ending only; keep one of them",
                                    file.string(), place.string()));
  }

  /// Whether a name ends in the mask's suffix and a number.
  bool is_numbered(const fs::path& file) const {
    return place_of(file).may_be_mask && !names_.mask_suffix.empty() &&
           without_number(stem_of(file)).ends_with(names_.mask_suffix);
  }

  /// The slots of an own part, nullptr when there are none with an image.
  Slots* owner(const fs::path& folder, const std::string& own_part) {
    const auto at = slots_.find((folder / own_part).string());
    return !own_part.empty() && at != slots_.end() && at->second.has_image() ? &at->second
                                                                             : nullptr;
  }

  /// x_mask_1 is a mask of x, unless it is an image that has a mask itself.
  void sort_in_numbered(const fs::path& file) {
    const fs::path folder = file.lexically_relative(masks_root_).parent_path();
    std::string own = without_number(stem_of(file));
    own.resize(own.size() - names_.mask_suffix.size());
    Slots* image = owner(folder, own);
    const auto itself = slots_.find((folder / stem_of(file)).string());
    if (image != nullptr && (itself == slots_.end() || itself->second.mask.empty()))
      image->further_masks.push_back(file);
    else
      sort_in(file);
  }

  /// Masks of x_1 and x_2 are those of x where only x is an image.
  void move_to_owners() {
    for (auto at = slots_.begin(); at != slots_.end();) {
      Slots& slots = at->second;
      Slots* image =
          slots.has_image() ? nullptr : owner(slots.folder, without_number(slots.own_part));
      if (image != nullptr) image->further_masks.push_back(slots.mask);
      at = image != nullptr ? slots_.erase(at) : std::next(at);
    }
  }

  std::string wanted(const fs::path& root, const Slots& slots, const std::string& suffix) const {
    return (root / slots.folder / (slots.own_part + suffix)).string();
  }

  /// A file of that name in a format that Glia does not read; empty when there is none.
  fs::path foreign(const std::string& name) const {
    const auto at =
        std::find_if(files_.foreign.begin(), files_.foreign.end(), [&](const fs::path& file) {
          return (file.parent_path() / stem_of(file)).string() == name;
        });
    return at == files_.foreign.end() ? fs::path() : *at;
  }

  /// Tells of a missing file, unless there is a better reason: one of another format in its place,
  /// or a partner that is not there either.
  void tell(Problems& missing, const std::string& name, const fs::path& partner,
            const std::string& kind, std::string text) {
    const fs::path other = foreign(name);
    if (!other.empty()) {
      found_.problems.add("files of formats that Glia does not read", foreign_problem(other));
      return;
    }
    const std::string reason = why_unreadable(partner);
    if (!reason.empty())
      found_.problems.add("files that are not there", reason);
    else
      missing.add(kind, std::move(text));
  }

  /// Whether all is there; otherwise notes what is missing.
  bool is_whole(const Slots& slots, Problems& missing) {
    std::vector<std::string> lacking;
    fs::path first;
    for (std::size_t i = 0; i < slots.images.size(); ++i) {
      if (slots.images[i].empty())
        lacking.push_back(wanted(images_root_, slots, names_.image_suffixes[i]));
      else if (first.empty())
        first = slots.images[i];
    }
    if (first.empty()) {
      tell(missing, lacking[0], slots.mask, "masks without an image",
           fmt::format("{}: a mask without its image {}; add the image or remove the mask",
                       slots.mask.string(), fmt::join(lacking, ", ")));
      return false;
    }
    if (!lacking.empty())
      tell(missing, lacking[0], first, "cases that lack a channel",
           fmt::format("{}: the case has no {}; add it or remove the case", first.string(),
                       fmt::join(lacking, ", ")));
    if (!slots.further_masks.empty() && !names_.join_masks) {
      found_.problems.add(
          "second masks",
          fmt::format("{}: a second mask of {}; --masks union joins them, or remove it",
                      slots.further_masks.front().string(), first.string()));
      return false;
    }
    if (!slots.mask.empty() || !slots.further_masks.empty()) return lacking.empty();
    const std::string mask = wanted(masks_root_, slots, names_.mask_suffix);
    tell(missing, mask, first, "images without a mask",
         fmt::format("{}: an image without its mask {}; add the mask (all zeros for no tumour) or "
                     "remove the image",
                     first.string(), mask));
    return false;
  }

  /// What names and folders tell of images and masks; empty when nothing.
  std::string advice() const {
    std::vector<NamedFile> named;
    for (const fs::path& file : files_.known) {
      const auto [may_be_image, may_be_mask] = place_of(file);
      const fs::path below = file.lexically_relative(may_be_image ? images_root_ : masks_root_);
      named.push_back({below.parent_path(), stem_of(file), may_be_image, may_be_mask});
    }
    const std::string folders = one_root_ ? folder_advice(named, names_.images) : "";
    if (!folders.empty()) return folders;
    const std::string suffixes = suffix_advice(named);
    return suffixes.empty() ? "" : "nearly all files differ by one suffix, as " + suffixes;
  }

  /// When no case is whole, the suffixes may be others than those named: said once.
  void tell_missing(const Problems& missing) {
    const std::string other = found_.cases.empty() && !missing.empty() ? advice() : "";
    if (!other.empty())
      found_.problems.add("names", fmt::format("{}: no image has a mask by these names, but {}",
                                               data_.string(), other));
    else
      found_.problems.add(missing);
  }

  /// Throws unless something was found.
  void check_any() const {
    if (!found_.cases.empty() || !found_.problems.empty()) return;
    const std::string other = advice();
    check(other.empty(), "{}: no file ends in the suffixes named; {}", data_.string(), other);
    check(found_.foreign.empty(),
          "{}: no images found that Glia reads, but {} files of other "
          "formats; {}",
          data_.string(), found_.foreign.size(),
          found_.foreign.empty() ? "" : foreign_problem(found_.foreign.front()));
    fail("{}: no images found; expected .png, .tif, .jpg, .npy, .nii or .nii.gz files{}",
         data_.string(),
         fs::exists(data_ / "dataset.json") ? ", or pass its dataset.json as --data" : "");
  }

  const ImportNames& names_;
  fs::path data_, images_root_, masks_root_;
  bool one_root_;
  CollectedFiles files_;
  std::map<std::string, Slots, KeyLess> slots_;
  ImportCases found_;
};

}  // namespace

ImportCases find_cases(const fs::path& data, const ImportNames& names) {
  return Finder(data, names).run();
}

}  // namespace glia
