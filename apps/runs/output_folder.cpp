#include "apps/runs/output_folder.h"

#include <cstring>
#include <system_error>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/part_file.h"
#include "engine/base/text.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

/// Makes the folder and, for a moment, a file in it.
void make_and_try(const std::string& flag, const fs::path& folder, NewFolder& made) {
  check(!folder.empty(), "{}: found an empty name, expected that of a folder", flag);
  std::error_code error;
  check(!fs::exists(folder, error) || fs::is_directory(folder, error),
        "{} {}: is a file; name a folder", flag, folder.string());
  try {
    made.make(folder);
  } catch (const Error& refused) {
    fail("{} {}; choose another place", flag, refused.what());
  }
  try {
    const PartFile tried(folder / "tried");
  } catch (const WriteError& refused) {
    fail("{} {}: no file can be made there: {}; choose another folder", flag, folder.string(),
         std::strerror(refused.code()));
  }
}

}  // namespace

void check_can_write(const std::string& flag, const fs::path& folder) {
  NewFolder made;
  make_and_try(flag, folder, made);
}

void check_outside(const fs::path& out, const fs::path& data) {
  check_output_place("--out", out, {{"--data", data}});
  check_can_write("--out", out);
}

OutputFolder::OutputFolder(fs::path path, const std::vector<CommandInput>& inputs, bool overwrite)
    : path_(std::move(path)), overwrite_(overwrite) {
  check_output_folder("--out", path_, inputs);
  make_and_try("--out", path_, made_);
}

std::size_t OutputFolder::there(const std::string** first) const {
  std::size_t count = 0;
  for (const std::string& name : names_) {
    std::error_code error;
    // A link is something, too.
    if (!fs::exists(fs::symlink_status(path_ / name, error))) continue;
    if (count++ == 0) *first = &name;
  }
  return count;
}

void OutputFolder::take(std::vector<std::string> names) {
  names_ = std::move(names);
  for (const std::string& name : names_) {
    std::error_code error;
    check(!fs::is_directory(fs::symlink_status(path_ / name, error)),
          "--out {}: {} is a folder there, and a file of that name is to be written; choose "
          "another --out, or move it elsewhere",
          path_.string(), printable_name(name));
  }
  const std::string* first = nullptr;
  const std::size_t count = there(&first);
  check(count == 0 || overwrite_,
        "--out {}: holds {} of the {} files to be written, first {}; choose another folder, or add "
        "--overwrite to replace them, as after a run of this command that did not end",
        path_.string(), count, names_.size(), first == nullptr ? "" : printable_name(*first));
}

void OutputFolder::fail_to_write(const WriteError& error) const {
  const std::string* first = nullptr;
  const std::size_t count = there(&first);
  if (count == 0 || overwrite_) throw error;
  fail(
      "{}. {} of the {} files to be written lie in {} now: give the command again with "
      "--overwrite, or with another --out",
      error.what(), count, names_.size(), path_.string());
}

}  // namespace glia
