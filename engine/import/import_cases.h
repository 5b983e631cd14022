// Which files of a folder belong together: the images of a case and its mask, by their names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/base/problems.h"

namespace glia {

/// A picture or a volume with its mask. Volumes of several files have one channel or more in each;
/// what is tumour in any of several masks is tumour.
struct ImportCase {
  std::string id;      // unique, fit for a file name
  std::string folder;  // in which the images lie below their root; empty at the top
  std::vector<std::filesystem::path> images;
  std::vector<std::filesystem::path> masks;
};

/// How files are named. Without its ending a name is the case's own part and then a suffix. Images
/// and masks that lie in the same folder below their roots and agree in the case's part belong
/// together.
struct ImportNames {
  std::filesystem::path images, masks;      // roots, below the data folder
  std::vector<std::string> image_suffixes;  // one file each, channels in this order
  std::string mask_suffix;
  bool join_masks = false;  // take several masks of one image: x_mask, x_mask_1, x_mask_2
};

struct ImportCases {
  std::vector<ImportCase> cases;               // by id, numbers by value
  Problems problems;                           // led by the file: what has no partner, or two
  std::vector<std::filesystem::path> unused;   // images by their ending that end in no suffix
  std::vector<std::filesystem::path> foreign;  // pictures and volumes of formats that are not read
  std::map<std::int64_t, std::string> labels;  // names of mask values, where a file tells them
  std::int64_t channels = 0;                   // that an image must have, where a file tells them
};

/// Looks through the roots below `data` and their subfolders; hidden files are skipped, and so is
/// every file with an ending that `read_stack` does not know. An id is the case's part of the name,
/// or, when those are not unique, led by the folders that it lies in. Throws `Error` when a root is
/// missing or holds nothing, or the suffixes cannot tell images from masks.
ImportCases find_cases(const std::filesystem::path& data, const ImportNames& names);

/// The training cases of a dataset.json: the Medical Segmentation Decathlon's, or nnU-Net's version
/// 1 or 2. Files outside of the folder that it lies in are problems unless `allow_outside`. Throws
/// `Error` when the file is neither.
ImportCases read_dataset_json(const std::filesystem::path& file, bool allow_outside = false);

/// Where a case lies and what its files are called.
struct CaseName {
  std::string folder;    // below the root; empty at the top
  std::string own_part;  // of the name, without suffix and ending
};

/// The id of each: its own part where no two are the same and none is empty, else the folder and
/// the part with '_' for '/'. Fit for file names and for lists of one id a line.
std::vector<std::string> ids_of_cases(const std::vector<CaseName>& names);

/// Gives the cases their ids, sorts them by id, and adds a problem for ids that clash.
void name_cases(ImportCases& found, const std::vector<std::string>& own_parts);

}  // namespace glia
