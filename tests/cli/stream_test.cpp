// Data that do not fit into memory.
#include <filesystem>
#include <fstream>

#include "engine/base/file.h"
#include "engine/formats/npy.h"
#include "tests/cli/workspace.h"

namespace glia {

namespace {

namespace fs = std::filesystem;

/// A file of `bytes`, whose hole takes no room on a disk, with `middle` in it.
void write_sparse(const fs::path& path, const std::string& header, std::uintmax_t bytes,
                  const std::string& middle) {
  std::ofstream out(path, std::ios::binary);
  out << header;
  out.seekp(static_cast<std::streamoff>(header.size() + bytes / 2 / 4 * 4));
  out << middle;
  out.close();
  fs::resize_file(path, header.size() + bytes);
}

/// What `write_npy` writes before the values.
template <class T>
std::string npy_header(const fs::path& scratch, const std::vector<std::int64_t>& shape,
                       std::size_t values) {
  write_npy<T>(scratch, shape, std::vector<T>(values));
  const std::string file = read_file(scratch);
  return file.substr(0, file.size() - values * sizeof(T));
}

}  // namespace

TEST_CASE("stream: slices of more bytes than a limit leaves the program are trained on", "[cli]") {
  constexpr std::int64_t kSlices = 80, kSide = 1024;
  constexpr std::size_t kPixels = kSide * kSide;
  const CliWorkspace w;
  const fs::path data = w.path("large");
  fs::create_directory(data);
  const std::string image = npy_header<float>(w.path("x"), {kSide, kSide, 3}, 3 * kPixels);
  const std::string mask = npy_header<std::uint8_t>(w.path("x"), {kSide, kSide}, kPixels);
  std::string train, val;
  for (std::int64_t i = 0; i < kSlices; ++i) {
    const std::string id = std::to_string(i);
    write_sparse(data / (id + "_img.npy"), image, 12 * kPixels, std::string(4096, '\x3f'));
    write_sparse(data / (id + "_seg.npy"), mask, kPixels, std::string(341, '\1'));
    (i < 2 ? val : train) += id + "\n";
  }
  write_file_atomically(w.path("train.txt"), train);
  write_file_atomically(w.path("val.txt"), val);
  // 960 MiB of images, of which a step and what is loaded ahead hold 190.
  const Outcome outcome = run_shell(
      "ulimit -v 800000; $GLIA train --data " + data.string() + " --train-list " +
      w.path("train.txt") + " --val-list " + w.path("val.txt") + " --out " + w.path("run") +
      " --epochs 1 --max-steps 2 --batch-size 1 --base-width 2 --depth 1 --threads 1");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
}

}  // namespace glia
