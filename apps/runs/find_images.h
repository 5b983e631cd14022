// The images that a command which needs no masks was pointed at.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/file.h"
#include "engine/base/check.h"
#include "engine/base/problems.h"
#include "engine/data/dataset.h"
#include "engine/formats/stack.h"
#include "engine/runtime/allocator.h"

namespace glia {

struct FoundImages {
  std::vector<Sample> samples;  // pictures, .npy arrays and volumes, no id twice
  Problems problems;            // files that cannot be taken, each led by its name
  std::size_t masks = 0;        // pictures left alone as masks of others
};

/// Files, and what lies below folders: the <id>_img.npy in the layout of training, and every other
/// picture, .npy array and volume, whose ids are those that glia import would give (see
/// ids_of_cases). x_mask and x_seg beside x are masks and no images, and a link to a folder is a
/// problem; so is one of several inputs that is not there or holds nothing. Of all, the ids in the
/// file `list` where that is not empty. A mask <id>_seg.npy beside an image comes with it; none is
/// needed. Throws `Error` when the only input is not there or holds nothing, or an id of the list
/// is missing.
FoundImages find_images(const std::vector<std::filesystem::path>& inputs, const std::string& list);

/// Whether several files and nothing else were given that are volumes: they are the channels of
/// one.
bool are_one_volume(const std::vector<std::filesystem::path>& inputs);

/// `problem` with the files that it is about.
std::string volume_problem(const std::vector<std::filesystem::path>& files,
                           const std::string& problem);

/// What `action` returns. An `Error` from it gets the names of all files in front, and where there
/// are several, what that means; but not one of writing, of which they know nothing.
template <class Action>
auto in_files(const std::vector<std::filesystem::path>& files, Action&& action)
    -> decltype(action()) {
  try {
    return action();
  } catch (const WriteError&) {
    throw;
  } catch (const OutOfMemory& error) {
    throw OutOfMemory(volume_problem(files, error.what()));
  } catch (const Error& error) {
    fail("{}", volume_problem(files, error.what()));
  }
}

/// Whether an image is an .npy array, which glia import wrote or might have: what import does to
/// other files is not done to it.
bool is_imported(const Sample& sample);

/// The slice of a picture or .npy array as it lies in the file, with the channels that `options`
/// take. Throws `Error` naming the file when it cannot be read, has values that are not finite, or
/// is a volume of several slices.
Slice load_image(const Sample& sample, const StackOptions& options);

}  // namespace glia
