// The folder of --out, into which a command writes files whose names it knows before its work.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/runs/outputs.h"
#include "engine/base/file.h"
#include "engine/base/new_folder.h"

namespace glia {

/// Throws `Error` naming `flag` when no files can be made in `folder`, which need not be there: it
/// is a file, or the system refuses. Leaves nothing.
void check_can_write(const std::string& flag, const std::filesystem::path& folder);

/// Throws `Error` naming `--out` when it is the folder `data` of `--data` or lies in it, where the
/// next command would take its files for data; and where `check_can_write` does.
void check_outside(const std::filesystem::path& out, const std::filesystem::path& data);

class OutputFolder {
 public:
  /// Makes the folder, which is removed again if it stays empty. Throws `Error` where
  /// `check_output_folder` or `check_can_write` do, before anything was computed.
  OutputFolder(std::filesystem::path path, const std::vector<CommandInput>& inputs, bool overwrite);

  const std::filesystem::path& path() const { return path_; }
  /// A file that another program makes under a name meanwhile is not replaced either.
  IfThere if_there() const { return overwrite_ ? IfThere::replace : IfThere::refuse; }

  /// `names` are all files that are going to be written. Throws `Error` naming the first that is
  /// there and how many are, unless they may be replaced; and one that is a folder, always.
  void take(std::vector<std::string> names);

  /// Does `work`, which writes them. Where one cannot be written and others were, the error says
  /// how to give the command again.
  template <class Work>
  void write(Work&& work) const {
    try {
      work();
    } catch (const WriteError& error) {
      fail_to_write(error);
    }
  }

 private:
  std::size_t there(const std::string** first) const;
  [[noreturn]] void fail_to_write(const WriteError& error) const;

  std::filesystem::path path_;
  NewFolder made_;
  bool overwrite_;
  std::vector<std::string> names_ = {};
};

}  // namespace glia
