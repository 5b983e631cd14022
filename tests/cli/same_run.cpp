#include "tests/cli/same_run.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "engine/base/file.h"
#include "engine/formats/safetensors.h"
#include "tests/catch.h"

namespace glia {

namespace {

namespace fs = std::filesystem;

/// metrics.csv without the two columns of seconds at the end of each line.
std::string metrics_without_times(const std::string& run) {
  std::istringstream in(read_file(run + "/metrics.csv"));
  std::string kept;
  for (std::string line; std::getline(in, line);) {
    for (int column = 0; column < 2; ++column) line.resize(line.rfind(','));
    kept += line + "\n";
  }
  return kept;
}

}  // namespace

void check_same_run(const std::string& a, const std::string& b) {
  for (const char* name : {"/last.safetensors", "/best.safetensors"}) {
    const SafeTensors x = read_safetensors(a + name), y = read_safetensors(b + name);
    REQUIRE(x.entries.size() == y.entries.size());
    for (const auto& entry : x.entries) {
      const auto other = y.find(entry.name, entry.shape, b);
      CAPTURE(name, entry.name);
      CHECK(std::equal(entry.values.begin(), entry.values.end(), other.begin(), other.end()));
    }
  }
  CHECK(metrics_without_times(a) == metrics_without_times(b));
}

std::function<bool()> after_checkpoints(const std::string& run, int count) {
  return [file = fs::path(run) / "last.safetensors", last = fs::file_time_type{},
          left = count]() mutable {
    std::error_code error;
    const auto time = fs::last_write_time(file, error);
    if (error || time == last) return false;
    last = time;
    return --left <= 0;
  };
}

}  // namespace glia
