// Files of results of glia bench side by side: by how much each row and step of one takes longer
// than in another, and whether their samples tell them apart at all.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace glia::bench {

/// What is timed in a file: a row or a step, by one backend.
struct TimedItem {
  std::string key;                   // the same in files that time the same
  std::string name;                  // as people read it
  std::string how = {};              // algorithm, precision or mode, where the file says
  std::string problem = {};          // why there are no samples
  std::vector<double> seconds = {};  // warm, a run each
};

/// A bench.json.
struct BenchFile {
  std::string name;
  std::vector<std::pair<std::string, std::string>> environment;  // "cpu", "…"; settings too
  std::vector<TimedItem> items;
};

/// Throws `Error` naming the file when it is none of glia bench's, or of a format that this program
/// does not read.
BenchFile read_bench_file(const std::filesystem::path& path);

/// Median of the second over median of the first, and an interval in which it lies with a
/// confidence of 99 %: the percentile bootstrap (Efron and Tibshirani, 1993, chapter 13) of both
/// sets of samples, by 2000 resamples that are the same in each run. Of what differs between two
/// runs of a program, such as where its memory lies, samples of one run each tell nothing.
struct TimeRatio {
  double ratio = 1, low = 1, high = 1;

  bool distinguishable() const { return low > 1 || high < 1; }
};

/// Throws `Error` without samples.
TimeRatio ratio_of(const std::vector<double>& first, const std::vector<double>& second);

/// What is timed in the first file, and how the others stand to it.
struct ComparedItem {
  std::string key, name;
  double seconds = 0;  // the first file's median; 0 where it has none
  struct Other {
    double seconds = 0;                   // 0 where it has none
    std::optional<TimeRatio> ratio = {};  // where both have samples
    std::string note = {};  // "not there", why it was not timed, or "tiled -> mma-tf32"
  };
  std::vector<Other> others;
};

struct EnvironmentDifference {
  std::string what;
  std::vector<std::string> values;  // a file each; "-" where it does not say
};

struct Comparison {
  std::vector<std::string> files;
  std::vector<EnvironmentDifference> environment;
  std::vector<ComparedItem> items;  // in the order of the first file, then what only others have
};

/// Of two files or more: all against the first.
Comparison compare(const std::vector<BenchFile>& files);

/// Names of what any other file takes longer for, by more than `share` of the first one's time: all
/// of the interval is beyond it.
std::vector<std::string> slower_by(const Comparison& comparison, double share);

std::string comparison_text(const Comparison& comparison);
nlohmann::ordered_json comparison_json(const Comparison& comparison);

}  // namespace glia::bench
