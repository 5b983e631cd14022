#include "apps/runs/data_hashes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sstream>

#include "apps/terminal/progress.h"
#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/data/dataset.h"

namespace glia {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kNamed = 5;  // files in a message

/// Calls `look(sample)`, then `see(file, hash)` for its image and mask, for each sample.
template <class Look, class See>
void hash_each(const std::vector<Sample>& samples, Look&& look, See&& see) {
  Progress progress("read data", std::ssize(samples));
  std::int64_t done = 0;
  for (const Sample& sample : samples) {
    look(sample);
    for (const fs::path& file : {sample.image, sample.mask}) see(file, hash_file(file));
    ++done;
    progress.update(done, {.images = done});
  }
}

}  // namespace

std::string hash_lines(const std::vector<Sample>& samples, const fs::path& data) {
  std::string lines;
  const fs::path folder = fs::absolute(data).lexically_normal();
  // A mask that cannot be used would else end a run when its turn comes, which may be in a late
  // epoch, since each leaves a few slices out. Images, of ten times the bytes, are left to that.
  const auto look = [](const Sample& sample) { load_mask(sample.mask); };
  hash_each(samples, look, [&](const fs::path& file, const std::string& hash) {
    const fs::path below = fs::absolute(file).lexically_normal().lexically_relative(folder);
    lines += fmt::format("{}  {}\n", hash, below.string());
  });
  return lines;
}

std::vector<std::string> image_hashes(const std::string& lines) {
  std::istringstream rest(lines);
  std::vector<std::string> hashes;
  for (std::string image, mask; std::getline(rest, image);) {
    const std::size_t end = image.find("  ");
    if (end == std::string::npos || !std::getline(rest, mask)) return {};
    hashes.push_back(image.substr(0, end));
  }
  return hashes;
}

void check_hash_lines(const std::string& stored, const std::vector<Sample>& samples,
                      const fs::path& data) {
  std::istringstream lines(stored);
  std::vector<std::string> changed;
  const auto look = [](const Sample&) {};  // they were looked at when the run began
  hash_each(samples, look, [&](const fs::path& file, const std::string& hash) {
    std::string line;
    if (!std::getline(lines, line) || line.substr(0, hash.size()) != hash)
      changed.push_back(file.string());
  });
  if (changed.empty()) return;
  const std::string more =
      changed.size() > kNamed ? fmt::format(" and {} more", changed.size() - kNamed) : "";
  const std::size_t count = changed.size();
  changed.resize(std::min(count, kNamed));
  fail(
      "{}{}: {} changed since the run started, and one that goes on would be trained on neither. "
      "Put {} back (with --data, if the old files lie elsewhere than in {}), or start a new run",
      fmt::join(changed, ", "), more, count == 1 ? "has" : "have", count == 1 ? "it" : "them",
      data.string());
}

}  // namespace glia
