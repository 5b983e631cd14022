// The images that a command which needs no masks was pointed at.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/formats/stack.h"

namespace glia {

/// One image file, or every <id>_img.npy below a folder; of these, the ids in the file `list` where
/// that is not empty. A mask beside an image comes with it; none is needed. Throws `Error` when
/// there is no such file or folder, or an id of the list is missing.
std::vector<Sample> find_images(const std::filesystem::path& input, const std::string& list);

/// The slice of a sample of `find_images`; `options` concern files that are no .npy arrays.
Slice load_image(const Sample& sample, const StackOptions& options = {});

}  // namespace glia
