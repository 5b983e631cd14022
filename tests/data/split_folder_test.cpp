#include "engine/data/split_folder.h"

#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/data/dataset.h"
#include "engine/base/hash.h"
#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;
namespace fs = std::filesystem;

namespace {

/// Five patients of two slices, the second slice of each without tumour.
void write_patients(const fs::path& folder) {
  for (int patient = 0; patient < 5; ++patient)
    for (int slice = 0; slice < 2; ++slice)
      write_pair(folder, std::to_string(patient * 20 + slice),
                 static_cast<float>(patient * 2 + slice), slice == 0 ? 3 : 0);
}

nlohmann::json manifest_of(const fs::path& out) {
  return nlohmann::json::parse(read_file(out / "manifest.json"));
}

std::string write_error(const SplitRequest& request) {
  return error_of([&] { write_split(request); });
}

std::ptrdiff_t entries_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

}  // namespace

TEST_CASE("split folder: lists and manifest agree", "[split]") {
  const TempFolder folder;
  const fs::path data = folder.path() / "data", out = folder.path() / "out";
  write_patients(data);
  const SplitSummary summary = write_split({data, out, {.val = 0.2, .test = 0.2, .seed = 5}});
  REQUIRE(summary.parts.size() == 3);
  CHECK((summary.parts[0].name == "train" && summary.parts[0].slices == 6));
  CHECK((summary.parts[0].groups == 3 && summary.parts[0].with_tumour == 3));
  const std::vector<Sample> samples = scan_pairs(data);
  CHECK(select_samples(samples, out / "train.txt").size() == 6);
  CHECK(select_samples(samples, out / "val.txt").size() == 2);
  CHECK(select_samples(samples, out / "test.txt").size() == 2);
  const nlohmann::json manifest = manifest_of(out);
  CHECK(manifest["seed"] == 5);
  CHECK(manifest["group_by"] == "id/20");
  CHECK(manifest["leaking"] == false);
  CHECK_FALSE(manifest.contains("note"));
  CHECK(manifest["parts"]["val"]["slices"] == 2);
  CHECK(manifest["parts"]["val"]["list_xxh3"] == hash_file(out / "val.txt"));
  CHECK(entries_in(out) == 4);
  CHECK(entries_in(folder.path()) == 2);
}

TEST_CASE("split folder: a split by slice says so, and names twins", "[split]") {
  const TempFolder folder;
  const fs::path data = folder.path() / "data", out = folder.path() / "out";
  write_pair(data, "1", 0, 1);
  write_pair(data, "2", 0, 1);
  const SplitSummary summary = write_split({data, out, {.val = 0.5, .group_by = "none"}});
  CHECK(summary.leaking);
  CHECK(summary.shared == 1);
  CHECK(manifest_of(out)["leaking"] == true);
  CHECK(manifest_of(out)["note"] == "slices of one patient may stand on both sides");
  CHECK(manifest_of(out)["identical_across_parts"] == 1);
}

TEST_CASE("split folder: files are copied or linked by part and tumour", "[split]") {
  const TempFolder folder;
  const fs::path data = folder.path() / "data", out = folder.path() / "out";
  write_patients(data);
  for (Materialize way : {Materialize::copy, Materialize::link}) {
    write_split({data, out, {}, way, true});
    CHECK(entries_in(out / "Train" / "Yes") == 8);
    CHECK(entries_in(out / "Train" / "No") == 8);
    CHECK(entries_in(out / "Val" / "Yes") == 2);
    CHECK(entries_in(out / "Val" / "No") == 2);
    CHECK_FALSE(fs::exists(out / "Test"));
    CHECK(scan_pairs(out / "Train").size() == 8);
    const Sample sample = scan_pairs(out / "Val")[0];
    CHECK(fs::is_symlink(sample.image) == (way == Materialize::link));
    CHECK(read_file(sample.image) == read_file(data / sample.image.filename()));
  }
  write_split({data, out, {}, Materialize::none, true});
  CHECK_FALSE(fs::exists(out / "Train"));
  CHECK(scan_pairs(data).size() == 10);
}

TEST_CASE("split folder: nothing is overwritten that no split made", "[split]") {
  const TempFolder folder;
  const fs::path data = folder.path() / "data", out = folder.path() / "out";
  write_patients(data);
  write_pair(out / "Train", "1", 0, 0);
  CHECK_THAT(write_error({data, out, {}}), ContainsSubstring("exists and is not empty"));
  CHECK_THAT(write_error({data, out, {}, Materialize::none, true}),
             ContainsSubstring("not made by an earlier split"));
  CHECK(fs::exists(out / "Train" / "1_img.npy"));
  CHECK_THAT(write_error({data, data / "split", {}, Materialize::copy}),
             ContainsSubstring("lies inside --data"));
  write_bytes(folder.path() / "file", "x");
  CHECK_THAT(write_error({data, folder.path() / "file", {}}),
             ContainsSubstring("a file is in the way"));
  CHECK(entries_in(folder.path()) == 3);
}

TEST_CASE("split folder: its own input is never replaced", "[split]") {
  const TempFolder folder;
  const fs::path data = folder.path() / "data", out = folder.path() / "out";
  write_patients(data);
  write_split({data, out, {}, Materialize::copy});
  CHECK_THAT(write_error({out / "Train", out, {}, Materialize::none, true}),
             ContainsSubstring("or the data itself"));
  CHECK(scan_pairs(out / "Train").size() == 8);
}

TEST_CASE("split folder: an earlier split is replaced as a whole, and only it", "[split]") {
  const TempFolder folder;
  const fs::path data = folder.path() / "data", out = folder.path() / "out";
  write_patients(data);
  write_split({data, out, {.val = 0.2, .test = 0.2}, Materialize::copy});
  write_bytes(out / "notes.txt", "mine");
  write_split({data, out, {.val = 0.4}, Materialize::none, true});
  CHECK(manifest_of(out)["val"] == 0.4);
  CHECK(entries_in(out) == 4);  // no test.txt, and no folders of files
  CHECK(read_file(out / "notes.txt") == "mine");
  // A folder cannot be kept in the same step.
  fs::create_directory(out / "mine");
  CHECK_THAT(write_error({data, out, {}, Materialize::none, true}),
             ContainsSubstring("mine: a folder that does not belong to what is replaced"));
  CHECK(manifest_of(out)["val"] == 0.4);
  CHECK(entries_in(folder.path()) == 2);
}

TEST_CASE("split folder: a failed split leaves nothing behind", "[split]") {
  const TempFolder folder;
  const fs::path data = folder.path() / "data", out = folder.path() / "out";
  write_patients(data);
  write_bytes(data / "0_seg.npy", "damaged");
  CHECK_THAT(write_error({data, out, {}}), ContainsSubstring("0_seg.npy: not a .npy file"));
  CHECK(entries_in(folder.path()) == 1);
}

TEST_CASE("split folder: an earlier split is replaced in one step, other files stay", "[split]") {
  const TempFolder folder;
  const fs::path data = folder.path() / "data", out = folder.path() / "out";
  write_patients(data);
  write_split({data, out, {.val = 0.2, .test = 0.2}, Materialize::link});
  write_bytes(out / "notes.txt", "mine");
  write_split({data, out, {.val = 0.4, .test = 0}, Materialize::none, true});
  CHECK(entries_in(out) == 4);  // train.txt, val.txt, manifest.json, notes.txt
  CHECK(read_file(out / "notes.txt") == "mine");
  CHECK(entries_in(folder.path()) == 2);
  fs::create_directories(out / "mine");
  const std::string before = read_file(out / "val.txt");
  CHECK_THAT(write_error({data, out, {.val = 0.2}, Materialize::none, true}),
             ContainsSubstring("mine: a folder that does not belong"));
  CHECK(read_file(out / "val.txt") == before);
  CHECK(entries_in(folder.path()) == 2);
}
