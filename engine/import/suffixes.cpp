#include "engine/import/suffixes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace glia {

namespace {

constexpr std::string_view kSeparators = "_-. ";
constexpr std::size_t kMaxParts = 3;   // of a name that may belong to its suffix
constexpr std::size_t kMaxTails = 12;  // of one case; more are no suffixes but numbers
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
          entry.example = fmt::format("{} and {}", (image.file->folder / image.file->stem).string(),
                                      (mask.file->folder / mask.file->stem).string());
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

std::string flags(const std::vector<std::string>& images, const std::string& mask) {
  const bool bare = images == std::vector<std::string>{""};
  return fmt::format("pass {}--mask-suffix {}",
                     bare ? "" : fmt::format("--image-suffix {} ", fmt::join(images, ",")),
                     mask.empty() ? "\"\"" : mask);
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

}  // namespace

std::string suffix_advice(const std::vector<NamedFile>& files) {
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
  return fmt::format("{}: {}", best->second.example,
                     one_root ? flags_of(tails) : flags({best->first.first}, best->first.second));
}

}  // namespace glia
