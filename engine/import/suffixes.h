// Finds the suffixes by which the images and masks of a folder differ, when other ones were named.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace glia {

struct NamedFile {
  std::filesystem::path folder;  // below the root of images or that of masks
  std::string stem;              // without its ending
  bool may_be_image = true, may_be_mask = true;
};

/// "p1/1_img and p1/1_seg: pass --image-suffix _img --mask-suffix _seg" when nearly all files
/// belong together that way; empty when they do not.
std::string suffix_advice(const std::vector<NamedFile>& files);

}  // namespace glia
