// A folder with a few synthetic slices and their split, for tests of the program.
#pragma once

#include <string>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/temp_folder.h"

namespace glia {

class CliWorkspace {
 public:
  explicit CliWorkspace(int size = 32) {
    REQUIRE(run_glia({"phantom", "--out", path("slices"), "--patients", "4", "--slices", "5",
                      "--size", std::to_string(size), "--seed", "3"})
                .code == 0);
    REQUIRE(run_glia({"split", "--data", path("slices"), "--out", path("split")}).code == 0);
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  /// A short training with a checkpoint after every step.
  std::vector<std::string> train(const std::string& out, int epochs = 3) const {
    return {"train",
            "--data",
            path("slices"),
            "--split",
            path("split"),
            "--out",
            path(out),
            "--base-width",
            "4",
            "--depth",
            "2",
            "--batch-size",
            "2",
            "--epochs",
            std::to_string(epochs),
            "--dropout",
            "0.2",
            "--augment",
            "noise=0.1,flip,rotate=10",
            "--checkpoint-every",
            "1",
            "--threads",
            "1"};
  }

  /// A study of small networks of one epoch.
  std::vector<std::string> sweep() const {
    return {"sweep", "--data",      path("slices"), "--split", path("split"),
            "--out", path("study"), "--base-width", "4",       "--epochs",
            "1"};
  }

 private:
  TempFolder folder_;
};

/// A command with more words at its end.
inline std::vector<std::string> with(std::vector<std::string> words,
                                     const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace glia
