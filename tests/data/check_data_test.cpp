#include "engine/data/check_data.h"

#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

/// "file name: text" of every problem, joined by line feeds.
std::string text_of(const DataReport& report) {
  std::string text;
  for (const Problem& problem : report.problems)
    text += problem.file.filename().string() + ": " + problem.text + "\n";
  return text;
}

}  // namespace

TEST_CASE("check-data: a sound folder has a summary and no problems", "[check]") {
  const TempFolder folder;
  write_pair(folder.path() / "Yes", "1", 0, 4);
  write_pair(folder.path() / "Yes", "2", 1, 8);
  write_pair(folder.path() / "No", "3", -2, 0);
  const DataReport report = check_data(folder.path());
  CHECK(text_of(report) == "");
  const DataSummary& summary = report.summary;
  CHECK((summary.images == 3 && summary.masks == 3 && summary.without_tumour == 1));
  CHECK(summary.tumour_share == Approx(12.0 / 48));
  CHECK(summary.image_kinds == std::map<std::string, std::int64_t>{{"float32 [4, 4, 2]", 3}});
  CHECK(summary.mask_kinds == std::map<std::string, std::int64_t>{{"uint8 [4, 4]", 3}});
  REQUIRE(summary.channels.size() == 2);
  CHECK((summary.channels[0].low == -2 && summary.channels[0].high == 31));
  CHECK((summary.channels[1].low == -1 && summary.channels[1].high == 32));
}

TEST_CASE("check-data: all problems of a folder at once", "[check]") {
  const TempFolder folder;
  const auto file = [&](const char* name) { return folder.path() / name; };
  for (int id = 1; id <= 9; ++id)
    write_pair(folder.path(), std::to_string(id), static_cast<float>(id), 1);
  write_bytes(file("1_img.npy"), "PK\x03\x04");
  write_npy<std::uint8_t>(file("2_seg.npy"), {4, 4}, std::vector<std::uint8_t>(16, 7));
  std::vector<float> values(32, 0);
  values[0] = std::numeric_limits<float>::quiet_NaN();
  write_npy<float>(file("3_img.npy"), {4, 4, 2}, values);
  write_npy<float>(file("4_img.npy"), {2, 2, 3},
                   std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  write_npy<float>(file("5_img.npy"), {4, 4, 2}, std::vector<float>(32, 3));
  std::filesystem::remove(file("6_seg.npy"));
  std::filesystem::copy_file(file("7_img.npy"), file("8_img.npy"),
                             std::filesystem::copy_options::overwrite_existing);
  const DataReport report = check_data(folder.path());
  const std::string text = text_of(report);
  CHECK_THAT(text, ContainsSubstring("1_img.npy: a zip archive"));
  CHECK_THAT(text, ContainsSubstring("2_seg.npy: holds the label values 7"));
  CHECK_THAT(text, ContainsSubstring("3_img.npy: 1 of 32 values are NaN"));
  CHECK_THAT(text, ContainsSubstring("4_seg.npy: the mask uint8 [4, 4] does not fit its image"));
  CHECK_THAT(text,
             ContainsSubstring("4_img.npy: the shape [2, 2, 3] differs from the [4, 4, 2] of 7"));
  CHECK_THAT(text, ContainsSubstring("6_img.npy: an image without its mask"));
  CHECK_THAT(text, ContainsSubstring("8_img.npy: byte-identical to " + file("7_img.npy").string() +
                                     ", and so is the mask"));
  CHECK(report.problems.size() == 7);
  REQUIRE(report.warnings.size() == 1);
  CHECK(report.warnings[0].file.filename() == "5_img.npy");
  CHECK_THAT(report.warnings[0].text,
             ContainsSubstring("every pixel of a channel has the same value"));
  CHECK(report.summary.images == 9);
  CHECK(report.summary.masks == 8);
}

TEST_CASE("check-data: one image under two masks is named as such", "[check]") {
  const TempFolder folder;
  write_pair(folder.path(), "1", 0, 1);
  write_pair(folder.path(), "2", 0, 2);
  const DataReport report = check_data(folder.path());
  REQUIRE(report.problems.size() == 1);
  CHECK_THAT(report.problems[0].text, ContainsSubstring("but the mask is another file or missing"));
}

TEST_CASE("check-data: an empty folder is an error", "[check]") {
  const TempFolder folder;
  CHECK_THAT(error_of([&] { check_data(folder.path()); }), ContainsSubstring("no slices found"));
}

TEST_CASE("check-data: identical slices of one patient are a warning, of two a problem",
          "[check]") {
  const TempFolder folder;
  for (const char* id : {"1", "2"}) write_pair(folder.path(), id, 0, 1);
  CHECK(check_data(folder.path()).problems.size() == 1);  // nobody says whose they are
  write_bytes(folder.path() / "manifest.csv", "id,group\n1,a\n2,a\n");
  const DataReport one = check_data(folder.path());
  CHECK(one.problems.empty());
  REQUIRE(one.warnings.size() == 1);
  CHECK_THAT(one.warnings[0].text, ContainsSubstring("both are of one patient"));
  CHECK(check_data(folder.path(), "none").problems.size() == 1);
  write_bytes(folder.path() / "manifest.csv", "id,group\n1,a\n2,b\n");
  CHECK(check_data(folder.path()).problems.size() == 1);
  CHECK(check_data(folder.path(), "id/20").problems.empty());
  write_bytes(folder.path() / "manifest.csv", "id,group\n1,a\n");
  CHECK_THAT(check_data(folder.path()).warnings.at(0).text,
             ContainsSubstring("manifest.csv says nothing about 1 of 2 slices: 2"));
  CHECK_FALSE(check_data(folder.path()).patients.known());
  write_bytes(folder.path() / "manifest.csv", "id,group\n1\n");
  CHECK_THAT(check_data(folder.path()).warnings.at(0).text,
             ContainsSubstring("manifest.csv:2: expected 2 cells, one a column, found 1"));
}

TEST_CASE("check-data: masks that are mostly tumour are a warning", "[check]") {
  const TempFolder folder;
  write_pair(folder.path(), "1", 0, 8);
  write_pair(folder.path(), "2", 1, 9);
  const DataReport report = check_data(folder.path());
  CHECK(report.problems.empty());
  REQUIRE(report.warnings.size() == 1);
  CHECK_THAT(report.warnings[0].text, ContainsSubstring("9 of 16 pixels are tumour"));
}

TEST_CASE("check-data: ids that no list can hold are a problem", "[check]") {
  for (const char* id : {"a\nb", "a ", " a", "a\x1B"}) {
    const TempFolder folder;
    write_pair(folder.path(), id, 0, 1);
    CHECK(check_data(folder.path()).problems.size() == 1);
    CHECK_THAT(error_of([&] { scan_pairs(folder.path()); }), ContainsSubstring("rename the file"));
  }
}
