// Finds the suffixes or folders by which images and masks differ, when other ones were named.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace glia {

struct NamedFile {
  std::filesystem::path folder;  // below the root of images or that of masks
  std::string stem;              // without its ending
  bool may_be_image = true, may_be_mask = true;
  std::filesystem::path root = {};  // of images or masks, as messages lead with it
};

/// "p1/1_img and p1/1_seg: pass --image-suffix _img --mask-suffix _seg" when nearly all files
/// belong together that way; empty when they do not.
std::string suffix_advice(const std::vector<NamedFile>& files);

/// "two folders hold nearly all files, as images/1 and masks/1: pass --images images --masks masks"
/// when nearly all files of two folders below `root` belong together that way, of which one is
/// named as masks are, with a suffix or without; of several such pairs that with most files. Empty
/// when there is none.
std::string folder_advice(const std::vector<NamedFile>& files, const std::filesystem::path& root);

}  // namespace glia
