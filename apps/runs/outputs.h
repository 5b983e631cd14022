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
inline constexpr const char* kSharedLibrary = "a shared library";

/// Where to write the file `path` of `flag`: what it leads to where it is a link; empty where it is
/// empty. Throws `Error` naming the flag when no file can be made there, which is tried, when that
/// is a folder, the same file as one of `inputs`, a file in a folder of them, a file of a run, by
/// its name one of a data folder, or, as its first bytes or its name tell, of another kind than
/// `kind`; and where there is one that is not empty, unless it may be overwritten.
std::filesystem::path output_file(const std::string& flag, const std::filesystem::path& path,
                                  const char* kind, const std::vector<CommandInput>& inputs,
                                  bool overwrite);

/// Throws `Error` naming the folder `out` of `flag` when it is one of the folders of `inputs` or
/// lies in one, so that files in it could be taken for some of them next time.
void check_output_place(const std::string& flag, const std::filesystem::path& out,
                        const std::vector<CommandInput>& inputs);

/// The same, and when files written into it could replace `inputs` or a run: it holds one of their
/// folders or files, or a run.
void check_output_folder(const std::string& flag, const std::filesystem::path& out,
                         const std::vector<CommandInput>& inputs);

/// Said where some of the files that a command was given could not be done, and others were.
inline constexpr const char* kAgain =
    "Once they are mended, give the command again with --overwrite, or with another --out.\n";

}  // namespace glia
