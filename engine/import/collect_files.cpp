#include "engine/import/collect_files.h"

#include <algorithm>
#include <cctype>
#include <fstream>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/base/walk.h"
#include "engine/formats/stack.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kForeign[] = {".gif", ".bmp", ".webp", ".jp2",  ".j2k", ".heic", ".avif",
                                         ".svg", ".pgm", ".ppm",  ".pnm",  ".tga", ".dcm",  ".ima",
                                         ".mha", ".mhd", ".nrrd", ".nhdr", ".mgz", ".mgh",  ".hdr",
                                         ".img", ".npz", ".mat",  ".svs",  ".czi", ".dicom"};

std::string lower_ending(const fs::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

bool is_foreign_name(const fs::path& file) {
  return std::find(std::begin(kForeign), std::end(kForeign), lower_ending(file)) !=
         std::end(kForeign);
}

}  // namespace

void collect_files(const fs::path& root, CollectedFiles& files, Problems& problems) {
  std::error_code error;
  check(fs::is_directory(root, error), "{}: {}; expected a folder with images and masks",
        root.string(), fs::exists(root, error) ? "not a folder" : "no such folder");
  walk_files(
      root,
      [&](const fs::path& path) {
        if (!is_stack_name(path) && !is_foreign_name(path)) return;
        if (!is_utf8(path.lexically_relative(root).string()))  // ids and patients are made of it
          problems.add("names that are no UTF-8", fmt::format("{}: {}", path.string(), kNotUtf8));
        else if (is_stack_name(path))
          files.known.insert(path.lexically_normal());
        else
          files.foreign.insert(path.lexically_normal());
      },
      [&](const fs::path& link) {
        problems.add("links to folders",
                     fmt::format("{}: {}", link.string(), linked_folder_problem("--data")));
      });
}

std::string foreign_problem(const fs::path& file) {
  return fmt::format("{}: Glia reads no {} files; export it as .png, .tif, .npy, .nii or .nii.gz",
                     file.string(), lower_ending(file));
}

std::string why_unreadable(const fs::path& file) {
  try {
    check_readable(file);
    std::ifstream in(file, std::ios::binary);
    std::string start(200, '\0');
    in.read(start.data(), static_cast<std::streamsize>(start.size()));
    start.resize(static_cast<std::size_t>(in.gcount()));
    check_fetched(start, file.string());
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace glia
