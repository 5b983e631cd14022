// Commands that are refused with advice, and then done as it says.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/formats/npy.h"
#include "tests/cli/workspace.h"

namespace glia::advice {

using Words = std::vector<std::string>;

inline void refused(const Words& words, const std::string& text) {
  const Outcome outcome = run_glia(words);
  CAPTURE(words, outcome.output);
  CHECK(outcome.code == 1);
  CHECK(contains(outcome, text));
}

inline void works(const Words& words) {
  const Outcome outcome = run_glia(words);
  CAPTURE(words, outcome.output);
  CHECK(outcome.code == 0);
}

/// 16 x 16 pixels of three channels, one of whose values is `value`.
inline void write_image(const std::filesystem::path& path, float value) {
  std::vector<float> values(16 * 16 * 3);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7);
  values[5] = value;
  std::filesystem::create_directories(path.parent_path());
  write_npy<float>(path, {16, 16, 3}, values);
}

/// A network of one epoch for images of three channels.
struct Network : CliWorkspace {
  Network() { works(train("run", 1)); }

  /// predict or explain, into a folder that may hold an earlier result.
  Words on(const std::string& command, const std::string& input, const std::string& out,
           const Words& more = {}) const {
    return with(once(command, input, out, {"--overwrite"}), more);
  }
  /// The same into a folder that must not.
  Words once(const std::string& command, const std::string& input, const std::string& out,
             const Words& more = {}) const {
    return with({command, "--checkpoint", path("run/best.safetensors"), "--input", path(input),
                 "--out", path(out)},
                more);
  }
};

}  // namespace glia::advice
