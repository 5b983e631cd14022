// Fingerprints of the files that a run is trained on, so that a resumed run notices another
// content.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/data/dataset.h"

namespace glia {

/// A line "<hash>  <path below `data`>" for image and mask of each sample, in their order, as
/// `xxhsum -c` reads them (engine/base/hash.h). Reads every file and shows how far it is. Throws
/// `Error` naming a mask that cannot be used.
std::string hash_lines(const std::vector<Sample>& samples, const std::filesystem::path& data);

/// The hashes of the images in such lines, in their order; empty when something else stands there.
std::vector<std::string> image_hashes(const std::string& lines);

/// Throws `Error` naming the files whose hashes differ from those in `stored`, the lines of samples
/// with the same ids in the same order; the paths may be others.
void check_hash_lines(const std::string& stored, const std::vector<Sample>& samples,
                      const std::filesystem::path& data);

}  // namespace glia
