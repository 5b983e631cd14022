#include "apps/runs/find_images.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "apps/runs/attempt.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/base/walk.h"
#include "engine/formats/nifti.h"
#include "engine/import/import_cases.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr const char* kReadable = ".npy, .png, .tif, .jpg, .nii or .nii.gz";
constexpr const char* kFlag = "--input";

bool is_in_layout(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.ends_with(kImageSuffix) || name.ends_with(kMaskSuffix);
}

class Search {
 public:
  FoundImages of(const std::vector<fs::path>& inputs) {
    if (inputs.size() == 1) {
      add_input(inputs.front());  // its error is all that there is to say
    } else {
      for (const fs::path& input : inputs) attempt(found_.problems, [&] { add_input(input); });
    }
    return std::move(found_);
  }

 private:
  void add_input(const fs::path& input) {
    input_ = input;
    fs::is_directory(input) ? add_folder(input) : add_file(input);
  }

  void add_file(const fs::path& file) {
    check(fs::exists(fs::symlink_status(file)), "{}: no such file or folder", file.string());
    check_readable(file);
    check(is_stack_name(file), "{}: not a format that Glia reads; expected {}", file.string(),
          kReadable);
    std::string id = stem_of(file);
    if (id.ends_with("_img")) id.resize(id.size() - 4);
    const fs::path mask = file.parent_path() / (id + "_seg.npy");
    add({id, file, fs::exists(mask) ? mask : fs::path()});
  }

  void add_folder(const fs::path& folder) {
    std::vector<fs::path> links;
    const std::vector<fs::path> files = files_below(folder, links);
    check(!files.empty() || !links.empty(), "{}: no images found; expected files that end in {}",
          folder.string(), kReadable);
    const bool layout = std::any_of(files.begin(), files.end(), [](const fs::path& file) {
      return file.filename().string().ends_with(kImageSuffix);
    });
    std::vector<fs::path> others;
    std::set<fs::path> stems, stems_of_others;
    for (const fs::path& file : files) {
      stems.insert(stem_in_folder(file));
      if (layout && is_in_layout(file)) continue;
      others.push_back(file);
      stems_of_others.insert(stem_in_folder(file));
    }
    if (layout)
      add_slices(folder, stems_of_others);
    else
      add_links(links);
    std::vector<fs::path> images;
    std::vector<CaseName> names;
    for (const fs::path& file : others) {
      const fs::path stem = stem_in_folder(file);
      if (is_mask_of_another(stem, stems)) {
        ++found_.masks;
        continue;
      }
      images.push_back(file);
      names.push_back({stem.lexically_relative(folder).parent_path().string(), stem.filename()});
    }
    const std::vector<std::string> ids = ids_of_cases(names);
    for (std::size_t i = 0; i < images.size(); ++i) add({ids[i], images[i], {}});
  }

  void add_links(const std::vector<fs::path>& links) {
    for (const fs::path& link : links)
      found_.problems.add("links to folders",
                          fmt::format("{}: {}", link.string(), linked_folder_problem(kFlag)));
  }

  /// The layout of training. That a mask is missing is no problem here, nor that it is of a
  /// picture.
  void add_slices(const fs::path& folder, const std::set<fs::path>& stems) {
    Pairing pairing = pair_files(folder, kFlag);
    for (const Problem& problem : pairing.problems) {
      if (problem.lacks_partner) continue;
      if (is_mask_of_another(stem_in_folder(problem.file), stems))
        ++found_.masks;
      else
        found_.problems.add("files", fmt::format("{}: {}", problem.file.string(), problem.text));
    }
    for (Sample& sample : pairing.samples) add(std::move(sample));
  }

  static std::vector<fs::path> files_below(const fs::path& folder, std::vector<fs::path>& links) {
    std::vector<fs::path> files;
    walk_files(
        folder,
        [&](const fs::path& path) {
          if (is_stack_name(path)) files.push_back(path);
        },
        [&](const fs::path& link) { links.push_back(link); });
    std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
      return id_less(a.generic_string(), b.generic_string());
    });
    return files;
  }

  /// The path without its ending, and without the suffix of an image of the layout.
  static fs::path stem_in_folder(const fs::path& file) {
    const std::string name = file.filename().string();
    return file.parent_path() / (name.ends_with(kImageSuffix) && name.size() > kImageSuffix.size()
                                     ? name.substr(0, name.size() - kImageSuffix.size())
                                     : stem_of(file));
  }

  static bool is_mask_of_another(const fs::path& stem, const std::set<fs::path>& stems) {
    const std::string name = stem.string();
    for (const std::string_view suffix : {"_mask", "_seg"})
      if (name.ends_with(suffix) && stems.contains(name.substr(0, name.size() - suffix.size())))
        return true;
    return false;
  }

  /// Another id for a file whose own is taken: led by its folder where the other is of another
  /// input, else with its ending.
  std::string told_apart(const Sample& sample) const {
    const fs::path folder = fs::is_directory(input_) ? input_ : folder_of(input_);
    const std::string name =
        without_slash(fs::absolute(folder).lexically_normal()).filename().string();
    if (taken_.at(sample.id) != input_ && !name.empty()) return name + "_" + sample.id;
    return sample.id + "_" + sample.image.extension().string().substr(1);
  }

  void add(Sample sample) {
    if (!is_utf8(sample.id)) {
      found_.problems.add("files", fmt::format("{}: {}", sample.image.string(), kNotUtf8));
      return;
    }
    if (taken_.contains(sample.id)) sample.id = told_apart(sample);
    if (!taken_.emplace(sample.id, input_).second) {
      found_.problems.add(
          "files", fmt::format("{}: the name {} is taken by another image; rename one of them",
                               sample.image.string(), printable_name(sample.id)));
      return;
    }
    found_.samples.push_back(std::move(sample));
  }

  FoundImages found_;
  fs::path input_;                         // from which files are added
  std::map<std::string, fs::path> taken_;  // ids, and the inputs that have them
};

}  // namespace

Slice load_image(const Sample& sample, const StackOptions& options) {
  const std::vector<std::int64_t>& chosen = options.take_channels;
  if (is_imported(sample)) {
    Slice slice = load_slice(sample);
    if (chosen.empty()) return slice;
    slice.image = take_channels(slice.image, slice.channels, chosen, sample.image);
    slice.channels = std::ssize(chosen);
    return slice;
  }
  Stack stack = read_image({sample.image}, options);
  check(stack.slices == 1,
        "{}: a volume of {} slices, expected a picture; glia import cuts it into slices",
        sample.image.string(), stack.slices);
  return {stack.height, stack.width, stack.channels, std::move(stack.values), {}};
}

bool are_one_volume(const std::vector<fs::path>& inputs) {
  return inputs.size() > 1 && std::all_of(inputs.begin(), inputs.end(), is_nifti_name);
}

std::string volume_problem(const std::vector<fs::path>& files, const std::string& problem) {
  std::vector<std::string> names;
  for (const fs::path& file : files) names.push_back(file.string());
  if (names.size() == 1) return fmt::format("{}: {}", names.front(), problem);
  return fmt::format(
      "{}, taken as the channels of one volume: {}. Volumes of their own are given one a "
      "command, or as the folder that they lie in",
      fmt::join(names, " and "), problem);
}

bool is_imported(const Sample& sample) {
  return sample.image.extension() == ".npy";
}

FoundImages find_images(const std::vector<fs::path>& inputs, const std::string& list) {
  FoundImages found = Search().of(inputs);
  if (!list.empty()) found.samples = select_samples(found.samples, list);
  return found;
}

}  // namespace glia
