#include "apps/runs/outputs.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string_view>
#include <system_error>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/part_file.h"
#include "engine/base/text.h"
#include "engine/data/dataset.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

struct Signature {
  std::size_t at;
  std::string_view bytes;
  const char* kind;
};

using namespace std::string_view_literals;

/// What the first bytes of a file tell; the first that fits.
constexpr Signature kSignatures[] = {{0, "\x93NUMPY"sv, "an .npy file"},
                                     {0, "\x89PNG"sv, "a PNG file"},
                                     {0, "\xFF\xD8\xFF"sv, "a JPEG file"},
                                     {0, "II*\0"sv, "a TIFF file"},
                                     {0, "MM\0*"sv, "a TIFF file"},
                                     {0, "\x1F\x8B"sv, "a compressed file"},
                                     {344, "n+1\0"sv, "a NIfTI file"},
                                     {7, "\0{"sv, kSafetensorsFile},  // after a length of 8 bytes
                                     {0, "{"sv, kJsonFile},
                                     {0, "\177ELF"sv, kSharedLibrary},
                                     {2, "\x12"sv, kOnnxFile}};
constexpr std::size_t kSignatureBytes = 348;

/// What names of files of a kind end in.
std::string_view ending_of(std::string_view kind) {
  return kind == kJsonFile        ? ".json"
         : kind == kMarkdownFile  ? ".md"
         : kind == kOnnxFile      ? ".onnx"
         : kind == kSharedLibrary ? ".so"
                                  : ".safetensors";
}

/// Of a regular file; nothing where there is none or nobody knows.
const char* kind_of(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return nullptr;
  std::ifstream in(file, std::ios::binary);
  std::string start(kSignatureBytes, '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(in.gcount()));
  for (const Signature& one : kSignatures)
    if (start.size() >= one.at && std::string_view(start).substr(one.at).starts_with(one.bytes))
      return one.kind;
  return nullptr;
}

/// With links resolved, as far as the path is there.
fs::path real_path(const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(fs::absolute(path, error), error);
  return without_slash(error ? path : real);
}

/// Whether a path is a folder or lies below it.
bool is_within(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

/// What glia train writes into the folder of a run, which alone may replace it.
constexpr const char* kRunFiles[] = {"best.safetensors", "last.safetensors", "config.json",
                                     "environment.json", "log.txt",          "metrics.csv",
                                     "metrics.jsonl",    "report.html",      "curves.svg"};

bool is_run_folder(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "run.lock", error);
}

/// Before the work: whether the file can be made. What is there, a device or a pipe too, stays.
void check_can_make(const std::string& flag, const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) return;
  try {
    const PartFile tried(file);
  } catch (const WriteError& refused) {
    fail("{} {}", flag, refused.what());
  }
}

}  // namespace

std::vector<CommandInput> named_inputs(const std::string& flag,
                                       const std::vector<fs::path>& paths) {
  std::vector<CommandInput> inputs;
  for (const fs::path& path : paths) inputs.push_back({flag, path});
  return inputs;
}

fs::path output_file(const std::string& flag, const fs::path& path, const char* kind,
                     const std::vector<CommandInput>& inputs, bool overwrite) {
  if (path.empty()) return path;
  std::error_code error;
  const fs::path target = through_links(path);
  check(!fs::is_directory(target, error), "{} {}: is a folder; name a file", flag, path.string());
  const bool exists = fs::is_regular_file(target, error);
  for (const CommandInput& input : inputs) {
    if (input.path.empty() || !exists) continue;
    check(!fs::equivalent(target, input.path, error),
          "{} {}: is the file that {} reads; choose another name", flag, path.string(), input.flag);
    check(!fs::is_directory(input.path, error) ||
              !is_within(real_path(target), real_path(input.path)),
          "{} {}: is there already, among the files of {} {}; choose another name", flag,
          path.string(), input.flag, input.path.string());
  }
  const bool of_run = std::find(std::begin(kRunFiles), std::end(kRunFiles),
                                target.filename().string()) != std::end(kRunFiles);
  check(!exists || !of_run || !is_run_folder(target.parent_path()),
        "{} {}: is a file of the run in that folder; choose another name", flag, path.string());
  const char* found = kind_of(target);
  check(found == nullptr || found == std::string_view(kind),
        "{} {}: {} is there, and would be replaced by {}; choose another name, or remove it first",
        flag, path.string(), found == nullptr ? "" : found, kind);
  const std::string name = target.filename().string();
  check(name != "manifest.csv" && !name.ends_with(kImageSuffix) && !name.ends_with(kMaskSuffix),
        "{} {}: is the name of a file that data folders are read by; choose another", flag,
        path.string());
  const bool plain = found == nullptr && exists && fs::file_size(target, error) > 0;
  const std::string ending = target.extension().string();
  check(!plain || ending.empty() || ending == ending_of(kind),
        "{} {}: another file is there, which {} would replace; choose a name that ends in {}, or "
        "remove it first",
        flag, path.string(), kind, ending_of(kind));
  check(overwrite || !exists || fs::file_size(target, error) == 0,
        "{} {}: is there already; choose another name, or add --overwrite to replace it", flag,
        path.string());
  check_can_make(flag, target);
  return target;
}

void check_output_place(const std::string& flag, const fs::path& out,
                        const std::vector<CommandInput>& inputs) {
  const fs::path folder = real_path(out);
  for (const CommandInput& input : inputs) {
    std::error_code error;
    if (input.path.empty() || !fs::is_directory(input.path, error)) continue;
    const fs::path real = real_path(input.path);
    check(!is_within(folder, real),
          "{} {}: {} {} {}; files there could be replaced: choose a folder "
          "of its own",
          flag, out.string(), folder == real ? "is the folder of" : "lies in", input.flag,
          input.path.string());
  }
}

void check_output_folder(const std::string& flag, const fs::path& out,
                         const std::vector<CommandInput>& inputs) {
  check_output_place(flag, out, inputs);
  const auto refuse = [&](const char* relation, const CommandInput& input) {
    fail("{} {}: {} {} {}; files there could be replaced: choose a folder of its own", flag,
         out.string(), relation, input.flag, input.path.string());
  };
  const fs::path folder = real_path(out);
  for (const CommandInput& input : inputs) {
    std::error_code error;
    if (input.path.empty()) continue;
    const fs::path real = real_path(input.path);
    if (!fs::is_directory(real, error) && real.parent_path() == folder)
      refuse("holds the file of", input);
    if (is_within(real, folder)) refuse("holds", input);
  }
  check(!is_run_folder(folder),
        "{} {}: holds a run, whose files could be replaced; choose a folder of its own", flag,
        out.string());
}

}  // namespace glia
