#include "engine/data/dataset.h"

#include "tests/catch.h"
#include "tests/data/slices.h"
#include "tests/temp_folder.h"

using namespace glia;

namespace {

std::string load_error(const TempFolder& folder, const std::string& id) {
  return error_of([&] {
    load_slice({id, folder.path() / (id + "_img.npy"), folder.path() / (id + "_seg.npy")});
  });
}

}  // namespace

TEST_CASE("dataset: ids order numbers by value", "[dataset]") {
  CHECK(id_less("2", "10"));
  CHECK_FALSE(id_less("10", "2"));
  CHECK(id_less("p2_s9", "p2_s10"));
  CHECK(id_less("p2_s10", "p10_s1"));
  CHECK(id_less("a", "a1"));
  CHECK(id_less("01", "1"));
  CHECK_FALSE(id_less("1", "01"));
  CHECK_FALSE(id_less("7", "7"));
  CHECK(id_less("99999999999999999999998", "99999999999999999999999"));
}

TEST_CASE("dataset: pairs of all subfolders, sorted, hidden and other files left out",
          "[dataset]") {
  const TempFolder folder;
  write_pair(folder.path() / "Yes", "10", 0, 3);
  write_pair(folder.path() / "No", "2", 1, 0);
  write_pair(folder.path(), "33", 2, 1);
  write_bytes(folder.path() / "notes.txt", "x");
  write_bytes(folder.path() / "._5_img.npy", "x");
  write_pair(folder.path() / ".cache", "6", 0, 0);
  const std::vector<Sample> samples = scan_pairs(folder.path());
  CHECK(ids_of(samples) == std::vector<std::string>{"2", "10", "33"});
  CHECK(samples[1].mask == folder.path() / "Yes" / "10_seg.npy");
}

TEST_CASE("dataset: every file that does not pair up is in the one message", "[dataset]") {
  const TempFolder folder;
  write_pair(folder.path() / "Yes", "1", 0, 3);
  write_pair(folder.path() / "No", "1", 0, 0);
  write_pair(folder.path(), "2", 0, 0);
  write_pair(folder.path(), "3", 0, 0);
  write_pair(folder.path(), "4", 0, 0);
  std::filesystem::remove(folder.path() / "2_seg.npy");
  std::filesystem::remove(folder.path() / "3_img.npy");
  const std::string error = error_of([&] { scan_pairs(folder.path()); });
  CHECK_THAT(error, ContainsSubstring("4 files do not pair up"));
  CHECK_THAT(error, ContainsSubstring("2_img.npy: an image without its mask 2_seg.npy"));
  CHECK_THAT(error, ContainsSubstring("3_seg.npy: a mask without its image 3_img.npy"));
  CHECK_THAT(error, ContainsSubstring("Yes/1_img.npy: the id 1 is already taken by") &&
                        ContainsSubstring("No/1_img.npy"));
  const std::vector<Sample> samples = pair_files(folder.path()).samples;
  CHECK(ids_of(samples) == std::vector<std::string>{"1", "2", "4"});
  CHECK(samples[1].mask.empty());
}

TEST_CASE("dataset: folders without slices, and links to folders", "[dataset]") {
  const TempFolder folder;
  CHECK_THAT(error_of([&] { scan_pairs(folder.path()); }), ContainsSubstring("no slices found"));
  CHECK_THAT(error_of([&] { scan_pairs(folder.path() / "none"); }),
             ContainsSubstring("no such folder"));
  write_bytes(folder.path() / "file", "x");
  CHECK_THAT(error_of([&] { scan_pairs(folder.path() / "file"); }),
             ContainsSubstring("not a folder"));
  write_pair(folder.path() / "data", "1", 0, 0);
  std::filesystem::create_directory_symlink(folder.path(), folder.path() / "data" / "loop");
  CHECK_THAT(error_of([&] { scan_pairs(folder.path() / "data"); }),
             ContainsSubstring("loop: a link to a folder is not followed"));
}

TEST_CASE("dataset: a list selects samples in its own order", "[dataset]") {
  const TempFolder folder;
  for (const char* id : {"1", "2", "3"}) write_pair(folder.path(), id, 0, 0);
  const std::vector<Sample> samples = scan_pairs(folder.path());
  const auto select = [&](const std::string& text) {
    write_bytes(folder.path() / "list.txt", text);
    return ids_of(select_samples(samples, folder.path() / "list.txt"));
  };
  CHECK(select("3\r\n\n1 \n") == std::vector<std::string>{"3", "1"});
  CHECK_THAT(error_of([&] { select("1\n8\n9\n"); }),
             ContainsSubstring("list.txt: 2 ids are not in the data: 8, 9"));
  CHECK_THAT(error_of([&] { select("1\n2\n1\n"); }), ContainsSubstring("stand twice: 1"));
  CHECK_THAT(error_of([&] { select("\n"); }), ContainsSubstring("the list is empty"));
}

TEST_CASE("dataset: a slice loads with its mask in zero and one", "[dataset]") {
  const TempFolder folder;
  write_pair(folder.path(), "1", 5, 2);
  std::vector<std::uint8_t> mask(16, 0);
  mask[15] = 255;
  write_npy<std::uint8_t>(folder.path() / "1_seg.npy", {4, 4, 1}, mask);
  const Slice slice = load_slice(scan_pairs(folder.path())[0]);
  CHECK((slice.height == 4 && slice.width == 4 && slice.channels == 2));
  CHECK(slice.image[31] == 36);
  CHECK((slice.mask[0] == 0 && slice.mask[15] == 1));
  CHECK(load_slice({"1", folder.path() / "1_img.npy", {}}).mask.empty());
}

TEST_CASE("dataset: unfit images and masks are refused with the file's name", "[dataset]") {
  const TempFolder folder;
  write_pair(folder.path(), "1", 0, 2);
  const std::filesystem::path image = folder.path() / "1_img.npy",
                              mask = folder.path() / "1_seg.npy";
  std::vector<std::uint8_t> labels(16, 0);
  const auto mask_error = [&] {
    write_npy<std::uint8_t>(mask, {4, 4}, labels);
    return load_error(folder, "1");
  };
  labels[3] = 2;
  CHECK_THAT(mask_error(),
             ContainsSubstring("1_seg.npy: holds the label values 0, 2; expected 0 and 1"));
  labels[3] = 1, labels[4] = 255;
  CHECK_THAT(mask_error(), ContainsSubstring("label values 0, 1, 255"));
  for (std::size_t i = 0; i < 16; ++i) labels[i] = static_cast<std::uint8_t>(i);
  CHECK_THAT(mask_error(), ContainsSubstring("9, 10 and more"));
  const std::vector<float> nan(16, std::numeric_limits<float>::quiet_NaN());
  write_npy<float>(mask, {4, 4}, nan);
  CHECK_THAT(load_error(folder, "1"), ContainsSubstring("NaN"));
  write_npy<std::uint8_t>(mask, {2, 8}, std::vector<std::uint8_t>(16, 0));
  CHECK_THAT(load_error(folder, "1"),
             ContainsSubstring("the mask uint8 [2, 8] does not fit its image float32 [4, 4, 2]"));
  write_npy<std::uint8_t>(mask, {16}, std::vector<std::uint8_t>(16, 0));
  CHECK_THAT(load_error(folder, "1"), ContainsSubstring("uint8 [16] is not a mask"));

  std::vector<float> values(32, 1);
  values[4] = std::numeric_limits<float>::infinity();
  write_npy<float>(image, {4, 4, 2}, values);
  CHECK_THAT(load_error(folder, "1"),
             ContainsSubstring("1_img.npy: 1 of 32 values are NaN or infinite"));
  write_npy<float>(image, {8, 4}, std::vector<float>(32, 1));
  CHECK_THAT(load_error(folder, "1"), ContainsSubstring("float32 [8, 4] is not an image"));
  write_npy<float>(image, {0, 4, 2}, std::vector<float>());
  CHECK_THAT(load_error(folder, "1"), ContainsSubstring("has no pixels"));
}
