#include "engine/import/suffixes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>

#include "engine/base/shell_word.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kSeparators = "_-. ";
constexpr std::size_t kMaxParts = 3;         // of a name that may belong to its suffix
constexpr std::size_t kMaxTails = 12;        // of one case; more are no suffixes but numbers
constexpr std::size_t kMaxFolderPairs = 40;  // that may be those of images and masks
constexpr double kNearlyAll = 0.8;

/// A file's name taken apart at some place.
struct Tail {
  std::string text;
  const NamedFile* file;
};
using Tails = std::map<std::string, std::vector<Tail>>;  // by the folder and the case's own part
using Pair = std::pair<std::string, std::string>;        // suffixes of image and mask

struct Votes {
  std::size_t count = 0;
  std::string example;
};

std::string name_of(const NamedFile& file) {
  return (file.root / file.folder / file.stem).string();
}

bool has_letter(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalpha(c) != 0 || c >= 0x80; });
}

/// "_seg" of "_seg_2"; of a tail without separator in front, up to the first.
std::string_view first_part(std::string_view tail) {
  return tail.substr(0, tail.find_first_of(kSeparators, 1));
}

/// The last place before `at` where a suffix may begin: at a separator, or where letters follow a
/// digit; 0 when there is none.
std::size_t boundary_before(const std::string& stem, std::size_t at) {
  for (std::size_t i = at; i-- > 1;) {
    const bool after_number = std::isdigit(static_cast<unsigned char>(stem[i - 1])) != 0 &&
                              std::isalpha(static_cast<unsigned char>(stem[i])) != 0;
    if (after_number || kSeparators.find(stem[i]) != std::string_view::npos) return i;
  }
  return 0;
}

Tails take_apart(const std::vector<NamedFile>& files) {
  Tails tails;
  for (const NamedFile& file : files) {
    std::size_t at = file.stem.size();
    for (std::size_t part = 0; part <= kMaxParts; ++part) {
      const bool whole = at == 0;
      tails[(file.folder / file.stem.substr(0, at)).string()].push_back(
          {file.stem.substr(at), &file});
      if (whole) break;
      at = boundary_before(file.stem, at);
      // All of a name is a suffix only where folders tell the cases apart.
      if (at == 0 && file.folder.empty()) break;
    }
  }
  return tails;
}

std::map<Pair, Votes> count_votes(const Tails& tails) {
  std::map<Pair, Votes> votes;
  for (const auto& [own, found] : tails) {
    if (found.size() > kMaxTails) continue;
    for (const Tail& image : found)
      for (const Tail& mask : found) {
        if (!image.file->may_be_image || !mask.file->may_be_mask || image.file == mask.file)
          continue;
        const bool same_root = image.file->may_be_mask && mask.file->may_be_image;
        const bool further_apart = first_part(image.text) != first_part(mask.text);
        if (same_root && (!further_apart || !has_letter(image.text + mask.text))) continue;
        if (!same_root && !further_apart && !image.text.empty()) continue;
        Votes& entry = votes[{image.text, mask.text}];
        if (entry.count++ == 0)
          entry.example = fmt::format("{} and {}", name_of(*image.file), name_of(*mask.file));
      }
  }
  return votes;
}

bool names_a_mask(const std::string& tail) {
  std::string text;
  for (const unsigned char c : tail) text += static_cast<char>(std::tolower(c));
  constexpr std::string_view kWords[] = {"mask",   "seg",   "label",  "truth", "gt",    "annot",
                                         "lesion", "tumor", "tumour", "roi",   "manual"};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

std::string suffix_flags(const std::vector<std::string>& images, const std::string& mask) {
  const bool bare = images == std::vector<std::string>{""};
  return fmt::format("{}--mask-suffix {}",
                     bare ? "" : fmt::format("--image-suffix {} ", fmt::join(images, ",")),
                     mask.empty() ? "\"\"" : mask);
}

std::string flags(const std::vector<std::string>& images, const std::string& mask) {
  return "pass " + suffix_flags(images, mask);
}

/// Which of the suffixes is the mask's, by the word in it or because the other is none.
std::string flags_of(const std::set<std::string>& tails) {
  std::vector<std::string> masks, images;
  for (const std::string& tail : tails) (names_a_mask(tail) ? masks : images).push_back(tail);
  if (masks.size() != 1 && tails.size() == 2 && tails.contains("")) {
    masks = {*tails.rbegin()};
    images = {""};
  }
  if (masks.size() == 1) return flags(images, masks[0]);
  return fmt::format(
      "name the mask's by --mask-suffix and the others, with commas between, by "
      "--image-suffix ({})",
      fmt::join(tails, ", "));
}

/// The suffixes by which nearly all files belong together.
struct Suffixes {
  std::string example;
  Pair best;
  std::set<std::string> tails;  // all of them where any file may be image or mask; else none
};

std::optional<Suffixes> find_suffixes(const std::vector<NamedFile>& files) {
  const std::map<Pair, Votes> votes = count_votes(take_apart(files));
  const auto best = std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) {
    return a.second.count < b.second.count;
  });
  if (best == votes.end() || (best->second.count < 2 && files.size() > 2)) return {};
  const double most = static_cast<double>(best->second.count);
  const bool one_root = std::all_of(files.begin(), files.end(), [](const NamedFile& file) {
    return file.may_be_image && file.may_be_mask;
  });
  std::set<std::string> tails;
  for (const auto& [pair, entry] : votes)
    if (static_cast<double>(entry.count) >= kNearlyAll * most)
      tails.insert({pair.first, pair.second});
  const std::size_t each = one_root ? tails.size() : 2;
  if (most * static_cast<double>(each) < kNearlyAll * static_cast<double>(files.size())) return {};
  if (!one_root) tails.clear();
  return Suffixes{best->second.example, best->first, std::move(tails)};
}

/// Two folders below the root, of which the second is named as masks are: beside each other, or one
/// in the other.
using FolderPair = std::pair<fs::path, fs::path>;

/// All that may be those of images and masks; none where there are so many that none is.
std::vector<FolderPair> pairs_of_folders(const std::vector<NamedFile>& files) {
  std::set<fs::path> folders;
  for (const NamedFile& file : files)
    for (fs::path folder = file.folder; folders.insert(folder).second && !folder.empty();)
      folder = folder.parent_path();
  std::vector<FolderPair> pairs;
  for (const fs::path& masks : folders) {
    if (!names_a_mask(masks.filename().string())) continue;
    for (const fs::path& images : folders) {
      const bool beside = images.parent_path() == masks.parent_path() && !images.empty();
      if (!beside && images != masks.parent_path()) continue;
      if (!names_a_mask(images.filename().string())) pairs.emplace_back(images, masks);
      if (pairs.size() > kMaxFolderPairs) return {};
    }
  }
  return pairs;
}

bool lies_below(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder.empty() ? "." : folder);
  return folder.empty() || (!relative.empty() && *relative.begin() != "..");
}

/// The files of one folder as images, those of another as masks.
std::vector<NamedFile> in_two_folders(const std::vector<NamedFile>& files,
                                      const FolderPair& folders) {
  const auto& [images, masks] = folders;
  std::vector<NamedFile> apart;
  for (const NamedFile& file : files) {
    const bool is_mask = lies_below(file.folder, masks);
    if (!is_mask && !lies_below(file.folder, images)) continue;
    const fs::path& root = is_mask ? masks : images;
    const fs::path below = root.empty() ? file.folder : file.folder.lexically_relative(root);
    apart.push_back({below == "." ? fs::path() : below, file.stem, !is_mask, is_mask, root});
  }
  return apart;
}

}  // namespace

std::string suffix_advice(const std::vector<NamedFile>& files) {
  const std::optional<Suffixes> found = find_suffixes(files);
  if (!found) return {};
  return fmt::format("{}: {}", found->example,
                     found->tails.empty() ? flags({found->best.first}, found->best.second)
                                          : flags_of(found->tails));
}

std::string folder_advice(const std::vector<NamedFile>& files, const fs::path& root) {
  std::size_t most = 0;
  std::string example, advised;
  for (const FolderPair& pair : pairs_of_folders(files)) {
    const std::vector<NamedFile> apart = in_two_folders(files, pair);
    if (apart.size() <= most) continue;
    const std::optional<Suffixes> found = find_suffixes(apart);
    if (!found) continue;
    most = apart.size();
    example = found->example;
    const auto& [image_suffix, mask_suffix] = found->best;
    const auto flag = [&](const char* name, const fs::path& folder) {
      return fmt::format("{} {}", name, shell_word((root / folder).lexically_normal().string()));
    };
    advised =
        fmt::format("pass {} {}{}", flag("--images", pair.first), flag("--masks", pair.second),
                    found->best == Pair() ? "" : " " + suffix_flags({image_suffix}, mask_suffix));
  }
  if (most == 0) return {};
  const bool nearly_all =
      static_cast<double>(most) >= kNearlyAll * static_cast<double>(files.size());
  return fmt::format(
      "two folders hold {}, as {}: {}",
      nearly_all ? "nearly all files"
                 : fmt::format("{} of {} files (the others are then left out)", most, files.size()),
      example, advised);
}

}  // namespace glia
