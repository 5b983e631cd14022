// Where a command may write: never over what it reads, nor over files of another kind.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace glia {

/// A file or folder that a command reads, and the flag that named it. An empty path is none.
struct CommandInput {
  std::string flag;
  std::filesystem::path path;
};

/// The same for a flag that takes several.
std::vector<CommandInput> named_inputs(const std::string& flag,
                                       const std::vector<std::filesystem::path>& paths);

/// What the file is that a command writes; see `output_file`.
inline constexpr const char* kJsonFile = "a JSON file";
inline constexpr const char* kMarkdownFile = "a Markdown file";
inline constexpr const char* kOnnxFile = "an ONNX file";
inline constexpr const char* kSafetensorsFile = "a safetensors file";

/// Where to write the file `path` of `flag`: what it leads to where it is a link; empty where it is
/// empty. Throws `Error` naming the flag when that is the same file as one of `inputs`, a file in a
/// folder of them, a file of a run, by its name one of a data folder, or, as its first bytes or its
/// name tell, of another kind than `kind`.
std::filesystem::path output_file(const std::string& flag, const std::filesystem::path& path,
                                  const char* kind, const std::vector<CommandInput>& inputs);

/// Throws `Error` naming the folder `out` of `flag` when files written into it could replace
/// `inputs`, or be taken for some next time: it is one of their folders, lies in one, holds one, or
/// a file of them lies in it; and when it is a link that leads nowhere.
void check_output_folder(const std::string& flag, const std::filesystem::path& out,
                         const std::vector<CommandInput>& inputs);

/// Said where some of the files that a command was given could not be done, and others were.
inline constexpr const char* kAgain =
    "Once they are mended, give the command again with --overwrite, or with another --out.\n";

/// Throws `Error` naming the folder `out` of `--out`, the first of `names` that is there already
/// and how many are, unless they may be replaced. `names` are all that a command is going to write,
/// and nothing was written yet.
void check_names_free(const std::filesystem::path& out, const std::vector<std::string>& names,
                      bool overwrite);

}  // namespace glia
